/// What the configuration's language knows and this version cannot do yet.
///
/// Such settings are read and validated like all others and then refused where they stand, so that nobody relies on
/// something that does not happen. Whoever builds a feature takes its row out of ``missing``.
enum Feature: Hashable, CaseIterable {
    case outputSanitization

    /// The table, each feature with the name that its refusal gives it.
    private static let missing: [Feature: String] = [
        .outputSanitization: "policy 'output_sanitization'"
    ]

    /// nil when this version has the feature.
    var refusal: String? {
        Feature.missing[self].map { "\($0) is not available in this version\(remedy)" }
    }

    private var remedy: String {
        switch self {
        case .outputSanitization: "; remove the entry or set enabled: false"
        }
    }
}
