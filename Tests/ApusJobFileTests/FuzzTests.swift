import ApusGraph
import Testing

@testable import ApusJobFile

/// Whatever bytes a job file has, reading it ends, and every refusal says why.
///
/// The seed is printed with each failure; put it into `firstSeed` to repeat it.
@Suite("Job file: random mutations")
struct FuzzTests {
    static let firstSeed: UInt64 = 0x41_50_55_53
    static let roundCount: UInt64 = 3_000

    /// Pieces that mean something in YAML or to the reader.
    static let pieces = [
        "\n", "  ", "- ", ": ", "{", "}", "[", "]", "&a ", "*a", "<<: ", "? ", "!!int ", "!x ",
        "\"", "'", "|\n", ">", "#", "---\n", "...\n", "\t", "@", "`", "%", "${", "${X}", "${X:1}",
        "$${", "~", "null", "true", "0x", "1e999", "9223372036854775808", "-0", "5ms", "1h30m",
        "$.a", "$", "f64", "out f64[]", "256MiB", "50%", "100MB/s", "/s", "never", "unlimited",
        "ttl: 1d", "dir: a", "out/",
        "\u{0}", "\u{7F}", "\u{FEFF}", "\u{2028}", "\u{1F985}", "e\u{301}", "id: a", "input: a",
    ]

    @Test("never crash the reader")
    func neverCrashTheReader() {
        for round in 0..<Self.roundCount {
            let seed = Self.firstSeed &+ round
            var generator = SplitMix64(seed: seed)
            let samples = [JobFileSample.text, DurableSample.text, FunctionErrorTests.sample]
            let sample = samples[Int(round % 3)]
            let text = Self.mutated(sample, using: &generator)
            switch JobFileSample.read(text, environment: ["X": "1"]) {
            case .success(let file):
                #expect(file.job.validate().errors.isEmpty, "seed \(seed)")
            case .failure(let errors):
                #expect(!errors.problems.isEmpty, "seed \(seed)")
                #expect(!errors.description.contains("\u{0}"), "seed \(seed)")
            }
        }
    }

    @Test("never crash the overrides")
    func neverCrashTheOverrides() {
        let steps = [
            "spec", "sources", "operators", "departures", "config", "0", "id", "", "x",
            "checkpoint",
            "dir", "io-limit", "state", "memory", "budget", "delivery", "sinks", "tickets", "ttl",
        ]
        for round in 0..<Self.roundCount {
            let seed = Self.firstSeed &+ round
            var generator = SplitMix64(seed: seed)
            let path = (0...Int.random(in: 0..<5, using: &generator))
                .compactMap { _ in steps.randomElement(using: &generator) }
                .joined(separator: ".")
            let value = Self.pieces.randomElement(using: &generator) ?? ""
            let sample = round.isMultiple(of: 2) ? JobFileSample.text : DurableSample.text
            let result = JobFileSample.read(sample, overrides: [(path, value)])
            if case .failure(let errors) = result {
                #expect(!errors.problems.isEmpty, "seed \(seed)")
            }
        }
    }

    /// The text after one to eight cuts, insertions, swaps and copies.
    static func mutated(_ text: String, using generator: inout SplitMix64) -> String {
        var scalars = Array(text.unicodeScalars)
        for _ in 0...Int.random(in: 0..<8, using: &generator) {
            let position = Int.random(in: 0...scalars.count, using: &generator)
            let length = min(Int.random(in: 0..<12, using: &generator), scalars.count - position)
            let range = position..<(position + length)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0:
                scalars.removeSubrange(range)
            case 1:
                let piece = pieces.randomElement(using: &generator) ?? ""
                scalars.insert(contentsOf: piece.unicodeScalars, at: position)
            case 2:
                let piece = pieces.randomElement(using: &generator) ?? ""
                scalars.replaceSubrange(range, with: piece.unicodeScalars)
            default:
                let copy = Array(scalars[range])
                let target = Int.random(in: 0...scalars.count, using: &generator)
                scalars.insert(contentsOf: copy, at: target)
            }
        }
        var result = String.UnicodeScalarView()
        result.append(contentsOf: scalars)
        return String(result)
    }
}

/// Steele, Lea and Flood's generator: small, and equal seeds give equal numbers.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
