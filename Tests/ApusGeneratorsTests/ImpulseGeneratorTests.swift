import ApusGenerators
import Testing

/// The numbers are complete, and the times keep the pace.
@Suite("ImpulseGenerator")
struct ImpulseGeneratorTests {
    static func lines(count: Int, recordsPerSecond: Int) -> [String] {
        var lines: [String] = []
        ImpulseGenerator(count: count, recordsPerSecond: recordsPerSecond).generate {
            lines.append($0)
        }
        return lines
    }

    @Test("numbers records from 1, at a steady pace")
    func numbersRecordsFromOneAtASteadyPace() {
        #expect(
            Self.lines(count: 5, recordsPerSecond: 3) == [
                #"{"sequence":1,"ts":"2026-03-02T09:00:00.000Z"}"#,
                #"{"sequence":2,"ts":"2026-03-02T09:00:00.333Z"}"#,
                #"{"sequence":3,"ts":"2026-03-02T09:00:00.666Z"}"#,
                #"{"sequence":4,"ts":"2026-03-02T09:00:01.000Z"}"#,
                #"{"sequence":5,"ts":"2026-03-02T09:00:01.333Z"}"#,
            ]
        )
        #expect(Self.lines(count: 0, recordsPerSecond: 1).isEmpty)
    }

    @Test("more than a thousand records a second share milliseconds")
    func moreThanAThousandRecordsASecondShareMilliseconds() {
        let lines = Self.lines(count: 2_001, recordsPerSecond: 2_000)
        #expect(lines[1].hasSuffix("09:00:00.000Z\"}"))
        #expect(lines[2].hasSuffix("09:00:00.001Z\"}"))
        #expect(lines[2_000].hasSuffix("09:00:01.000Z\"}"))
    }

    @Test("an error of the reader ends the run")
    func anErrorOfTheReaderEndsTheRun() {
        var count = 0
        #expect(throws: CancellationError.self) {
            try ImpulseGenerator(count: 10).generate { _ in
                count += 1
                if count == 3 { throw CancellationError() }
            }
        }
        #expect(count == 3)
    }
}
