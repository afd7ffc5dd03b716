/// The journal's `MESSAGE_ID` of each event type: minted once, and never changed, since operators search for them and
/// `etc/gatekit.catalog` explains them.
public enum JournalMessageID {
    /// Every event type of the audit with its id, 32 hex digits.
    public static let all: [(event: StaticString, id: StaticString)] = [
        ("REQUEST", "d6fc48757570490886a0d57a9e582f79"),
        ("RESPONSE", "b032b0b497fd41da91a86b8993dca9e3"),
        ("SECURITY_BLOCK", "d64aa98fff75411b825e8b5629b2bbcf"),
        ("TOOLS_FILTERED", "79d7312f0de0461888c115d86c6c99d5"),
        ("NOTIFICATION", "588f5a89dc4a46abba2477b66ea91a08"),
        ("SERVER_REQUEST", "e29c314eb68140e5aabbfaaf6fe200fe"),
        ("SERVER_RESPONSE", "53d296b029fb4ed282f1a80f8d19d2ab"),
        ("INVALID_MESSAGE", "7b8ccb13072d47ad8dc70c12140ae3ab"),
        ("SESSION_START", "cc6d5f48f21e44f88d8af390ef17f0b4"),
        ("SESSION_END", "c066ab6d6b6445f0acdcbd3c5eaf387e"),
        ("UPSTREAM_START", "aed93961f8864b1ab78c2a16ba032f0f"),
        ("UPSTREAM_EXIT", "7a3d418fc0d04756a962fdebb761813f"),
        ("CONFIG_RELOAD", "870a75d184e04a7aa0ace4ba273d1b56"),
        ("AUDIT_START", "5e98b571a64046fd9833babda8720c9e"),
        ("AUDIT_STOP", "46146b97c96b410b9f9610e5491e7933"),
        ("AUDIT_GAP", "edb692b6ffd94f44a4581d29fe503a8a"),
    ]

    /// The id of an event type; nil for a word that is none.
    public static func id(of event: StaticString) -> StaticString? {
        event.withUTF8Buffer { wanted in
            all.first { $0.event.withUTF8Buffer { $0.elementsEqual(wanted) } }?.id
        }
    }
}
