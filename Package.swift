// swift-tools-version: 6.2
import PackageDescription

/// Strict in every target: Swift 6 mode, explicit existentials and imports, and no warning survives.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
    // Checked in every debug build, and so by all tests; in release the checks cost more than the scanner.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioLocks = Target.Dependency.product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies, resources: resources,
        swiftSettings: strict)
}

let package = Package(
    name: "gatekit",
    products: [
        .executable(name: "gatekit", targets: ["gatekit"]),
        .executable(name: "zscaler-mcp", targets: ["zscaler-mcp"]),
        .executable(name: "mcp-filesystem", targets: ["mcp-filesystem"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // Layer 0: bytes and processes, nothing of MCP's meaning.
        module("JSONRPCWire", [nioCore]),
        module("StandardStreams", []),
        .target(name: "CSpawn", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
        .target(name: "CFileSpace", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),

        // Layer 1: what the operator wrote, and what a policy decides.
        module("GatewayConfiguration", [.product(name: "Yams", package: "Yams")]),
        module("OutputSanitizer", ["JSONRPCWire", nioCore]),
        module("ToolPolicy", ["GatewayConfiguration", "JSONRPCWire", "OutputSanitizer", nioCore]),

        .systemLibrary(
            name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev", "pkg-config"])]),
        .target(name: "CJournal", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
        module("Systemd", ["CJournal", "CSystemd"]),

        // Layer 2: the one snapshot and the values that audit and metrics consume.
        module(
            "GatewayEvents", ["JSONRPCWire", "GatewayConfiguration", "OutputSanitizer", "ToolPolicy", nioCore]),
        // Layer 1 as well: what a message of one protocol era is in the other.
        module("EraTranslation", ["JSONRPCWire", nioCore, .product(name: "Crypto", package: "swift-crypto")]),

        // Layer 3: the three things the supervisor owns besides the policies.
        module(
            "AuditTrail",
            ["CFileSpace", "GatewayEvents", "GatewayConfiguration", "OutputSanitizer", "Systemd", nioCore]),
        module("Upstream", ["CSpawn", nioCore, nioPosix, nioLocks, logging]),
        module(
            "MCPRouting",
            [
                "EraTranslation", "GatewayEvents", "GatewayConfiguration", "JSONRPCWire", "OutputSanitizer",
                "ToolPolicy",
                nioCore,
                .product(name: "DequeModule", package: "swift-collections"),
            ]),

        // Layer 4: the loop that performs what routing decided.
        module(
            "Gateway",
            [
                "AuditTrail", "EraTranslation", "GatewayConfiguration", "GatewayEvents", "JSONRPCWire", "MCPRouting",
                "ToolPolicy", "Upstream", nioCore, nioPosix, logging,
            ]),

        // Layer 5: how clients come in.
        module(
            "LineDoors",
            [
                "CSpawn", "Gateway", "GatewayConfiguration", "JSONRPCWire", "StandardStreams", nioCore, nioPosix,
                logging,
            ]),
        // Streamable HTTP; it alone imports TLS.
        module(
            "HTTPDoor",
            [
                "EraTranslation", "Gateway", "GatewayConfiguration", "GatewayEvents", "JSONRPCWire", "MCPRouting",
                nioCore,
                nioPosix, logging,
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),

        // What the gateway says of itself.
        module("Telemetry", ["AuditTrail", "Gateway", "GatewayEvents", "MCPRouting", "OutputSanitizer"]),
        // Where metrics are scraped: plain HTTP, and nothing of MCP.
        module(
            "MetricsDoor",
            [
                "GatewayConfiguration", nioCore, nioPosix,
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]),
        // From the files to the next snapshot, as one transaction.
        module(
            "Reload",
            ["AuditTrail", "Gateway", "GatewayConfiguration", "GatewayEvents", "ToolPolicy", "Upstream"]),
        // The lock, the PID file and the control channel, both ends.
        .target(name: "CPidfd", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
        module("ControlPlane", ["CPidfd", "GatewayEvents", nioCore, nioPosix, logging]),

        // Layer 6: the composition root.
        module(
            "Daemon",
            [
                "AuditTrail", "CSpawn", "Gateway", "GatewayConfiguration", "GatewayEvents", "HTTPDoor", "JSONRPCWire",
                "LineDoors", "ControlPlane", "MCPRouting", "MetricsDoor", "OutputSanitizer", "Reload",
                "StandardStreams", "Systemd", "Telemetry", "ToolPolicy", "Upstream",
                nioCore, nioPosix, logging,
            ]),

        // Layer 5 as well: what an MCP client launches to reach a daemon, no part of the daemon, only its wire.
        module("SocketBridge", ["JSONRPCWire", "StandardStreams", nioCore, nioPosix]),

        // Layer 7: the commands, and the two names they are installed under.
        module(
            "Commands",
            [
                "ControlPlane", "Daemon", "GatewayConfiguration", "SocketBridge", "StandardStreams", logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(name: "gatekit", dependencies: ["Commands"], swiftSettings: strict),
        .executableTarget(name: "zscaler-mcp", dependencies: ["Commands"], swiftSettings: strict),

        // The embedded upstream: a program of its own, which shares only the wire with the gateway.
        .target(name: "COpenAt2", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
        module("MCPFilesystem", ["COpenAt2", "JSONRPCWire", nioCore]),
        .executableTarget(name: "mcp-filesystem", dependencies: ["MCPFilesystem"], swiftSettings: strict),

        // What the benchmarks compare the Unix door with; installed nowhere.
        .executableTarget(
            name: "nio-echo", dependencies: [nioCore, nioPosix], path: "Tests/Benchmarks/NIOEcho",
            swiftSettings: strict),

        tests("JSONRPCWire", [nioCore]),
        .executableTarget(
            name: "WireBench", dependencies: ["JSONRPCWire", nioCore], path: "Tests/Benchmarks/WireBench",
            swiftSettings: strict),
        .executableTarget(
            name: "AuditBench",
            dependencies: ["AuditTrail", "GatewayConfiguration", "GatewayEvents", "Systemd", "ToolPolicy", nioCore],
            path: "Tests/Benchmarks/AuditBench", swiftSettings: strict),
        tests("GatewayConfiguration", [], resources: [.copy("Golden")]),
        tests("EraTranslation", ["JSONRPCWire", nioCore]),
        tests("ToolPolicy", ["GatewayConfiguration", "JSONRPCWire", "OutputSanitizer", nioCore]),
        tests("OutputSanitizer", ["JSONRPCWire", nioCore], resources: [.copy("Golden")]),
        .executableTarget(
            name: "SanitizerBench", dependencies: ["JSONRPCWire", "OutputSanitizer", nioCore],
            path: "Tests/Benchmarks/SanitizerBench", swiftSettings: strict),
        tests(
            "AuditTrail",
            ["GatewayEvents", "GatewayConfiguration", "OutputSanitizer", "Systemd", "ToolPolicy", nioCore]),
        // A gateway in miniature that those tests may kill.
        .executableTarget(
            name: "upstream-probe", dependencies: ["CSpawn", "Upstream", nioCore, nioPosix, logging],
            path: "Tests/UpstreamProbe", swiftSettings: strict),
        tests(
            "Upstream", ["CSpawn", "GatewayConfiguration", "upstream-probe", nioCore, nioPosix, logging]),
        tests(
            "MCPRouting", ["GatewayEvents", "GatewayConfiguration", "JSONRPCWire", "ToolPolicy", nioCore]),
        tests("Gateway", ["GatewayEvents", "JSONRPCWire", nioCore]),
        tests("Systemd", []),
        tests(
            "Telemetry", ["AuditTrail", "Gateway", "GatewayConfiguration", "GatewayEvents", "MCPRouting", "ToolPolicy"]),
        tests("MetricsDoor", ["GatewayConfiguration", nioCore, nioPosix]),
        tests(
            "Reload",
            ["AuditTrail", "Gateway", "GatewayConfiguration", "GatewayEvents", "ToolPolicy", "Upstream", nioCore]),
        tests("ControlPlane", ["GatewayEvents", nioCore, nioPosix, logging]),
        tests("Daemon", ["AuditTrail", "Systemd", logging]),
        tests("SocketBridge", ["JSONRPCWire", nioCore, nioPosix]),
        tests(
            "HTTPDoor",
            [
                "AuditTrail", "Gateway", "GatewayConfiguration", "GatewayEvents", "JSONRPCWire", "Systemd",
                "ToolPolicy", "Upstream", nioCore, nioPosix, logging,
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]),
        tests("LineDoors", ["GatewayConfiguration"]),
        tests("Commands", [.product(name: "ArgumentParser", package: "swift-argument-parser")]),
        tests("MCPFilesystem", ["JSONRPCWire", nioCore]),
    ]
)

// The fuzz targets link only with libFuzzer, hence `scripts/fuzz` alone asks for them.
if Context.environment["GATEKIT_FUZZ"] != nil {
    package.targets += [
        .executableTarget(
            name: "WireFuzz", dependencies: ["JSONRPCWire", nioCore], path: "Tests/Fuzz/WireFuzz",
            swiftSettings: strict),
        .executableTarget(
            name: "SanitizerFuzz", dependencies: ["JSONRPCWire", "OutputSanitizer", nioCore],
            path: "Tests/Fuzz/SanitizerFuzz", swiftSettings: strict),
    ]
}
