/// What the configuration's language knows and this version cannot do yet.
///
/// Such settings are read and validated like all others and then refused where they stand, so that nobody relies on
/// something that does not happen. Whoever builds a feature takes its row out of ``missing``.
enum Feature: Hashable, CaseIterable {
    case modernEra

    /// The table, each feature with the name that its refusal gives it.
    private static let missing: [Feature: String] = [
        .modernEra: "era 'modern'"
    ]

    /// nil when this version has the feature.
    var refusal: String? {
        Feature.missing[self].map { "\($0) is not available in this version\(remedy)" }
    }

    private var remedy: String {
        switch self {
        case .modernEra: "; use auto or legacy"
        }
    }
}
