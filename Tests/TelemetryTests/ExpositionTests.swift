import Testing

@testable import Telemetry

@Suite("Prometheus' text format")
struct ExpositionTests {
    private static func text(_ exposition: Exposition) -> String {
        String(decoding: exposition.bytes, as: UTF8.self)
    }

    @Test("a family has its HELP and TYPE once, and a sample without labels no braces")
    func families() {
        var out = Exposition()
        out.single("a_total", .counter, "One \\ two\nthree \"four\".", 7)
        out.family("b", .gauge, "B.")
        out.sample(MetricLabels("x", "1"), 2)
        out.sample(MetricLabels("x", "2").adding("y", "z"), -3)
        #expect(
            Self.text(out) == #"""
                # HELP a_total One \\ two\nthree "four".
                # TYPE a_total counter
                a_total 7
                # HELP b B.
                # TYPE b gauge
                b{x="1"} 2
                b{x="2",y="z"} -3

                """#)
    }

    @Test(
        "of a label's value exactly backslash, quote and newline are escaped",
        arguments: [
            ("plain", "plain"), ("", ""), (#"a"b"#, #"a\"b"#), (#"a\b"#, #"a\\b"#), ("a\nb", #"a\nb"#),
            ("a\tb{c},=", "a\tb{c},="), ("Grüße 世界", "Grüße 世界"), ("a\r\nb", "a\r\\nb"),
        ])
    func escaping(value: String, printed: String) {
        #expect(MetricLabels("l", value).text == "l=\"\(printed)\"")
    }

    @Test(
        "times are printed in seconds, exactly",
        arguments: [
            (0, "0"), (1, "0.000000001"), (10_000, "0.00001"), (2_500_000, "0.0025"), (1_000_000_000, "1"),
            (61_050_000_000, "61.05"), (UInt64.max, "18446744073.709551615"),
        ] as [(UInt64, String)])
    func seconds(nanoseconds: UInt64, printed: String) {
        #expect(Exposition.seconds(nanoseconds) == printed)
    }

    @Test("a histogram's buckets each count all below them, and the last one everything")
    func histogram() {
        var histogram = Histogram(bounds: [10_000_000, 1_000_000_000])
        histogram.record(10_000_000)
        histogram.record(10_000_001, times: 2)
        histogram.record(3_000_000_000)
        var out = Exposition()
        out.family("t_seconds", .histogram, "T.")
        out.sample(MetricLabels("m", "x"), histogram)
        out.family("u_seconds", .histogram, "U.")
        out.sample(.none, Histogram(bounds: [500_000_000]))
        #expect(
            Self.text(out) == """
                # HELP t_seconds T.
                # TYPE t_seconds histogram
                t_seconds_bucket{m="x",le="0.01"} 1
                t_seconds_bucket{m="x",le="1"} 3
                t_seconds_bucket{m="x",le="+Inf"} 4
                t_seconds_sum{m="x"} 3.030000002
                t_seconds_count{m="x"} 4
                # HELP u_seconds U.
                # TYPE u_seconds histogram
                u_seconds_bucket{le="0.5"} 0
                u_seconds_bucket{le="+Inf"} 0
                u_seconds_sum 0
                u_seconds_count 0

                """)
    }
}

@Suite("A histogram")
struct HistogramTests {
    @Test(
        "puts a time into the first bucket that holds it",
        arguments: [(0, 0), (10, 0), (11, 1), (20, 1), (21, 2), (UInt64.max, 2)] as [(UInt64, Int)])
    func buckets(time: UInt64, index: Int) {
        var histogram = Histogram(bounds: [10, 20])
        histogram.record(time)
        #expect(histogram.counts[index] == 1 && histogram.counts.reduce(0, +) == 1)
    }

    @Test("has bounds that rise", arguments: [Histogram.conventional, .held])
    func bounds(_ histogram: Histogram) {
        #expect(zip(histogram.bounds, histogram.bounds.dropFirst()).allSatisfy(<))
        #expect(histogram.counts.count == histogram.bounds.count + 1)
    }
}
