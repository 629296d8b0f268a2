package import ApusSDK

/// The fields of a line, which commas separate.
package struct LineFields {
    private let line: Bytes

    /// Looks into a record's value.
    package init(_ line: Bytes) {
        self.line = line
    }

    /// The field with this number, counted from 0.
    package subscript(column: Int) -> Bytes? {
        var start = 0
        var column = column
        while true {
            let end = line[start..<line.count].firstIndex(of: UInt8(ascii: ","))
            let stop = end.map { start + $0 } ?? line.count
            if column == 0 { return line[start..<stop] }
            guard end != nil else { return nil }
            column -= 1
            start = stop + 1
        }
    }

    /// The last field.
    package var last: Bytes {
        let comma = line.lastIndex(of: UInt8(ascii: ","))
        return line[(comma.map { $0 + 1 } ?? 0)..<line.count]
    }
}

extension Bytes {
    /// The bytes as a whole number of at most 15 digits.
    package var wholeNumber: Int64? {
        let isNegative = first == UInt8(ascii: "-")
        let digits = self[(isNegative ? 1 : 0)..<count]
        guard (1...15).contains(digits.count) else { return nil }
        var number: Int64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            number = number * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        return isNegative ? -number : number
    }
}

extension Record {
    /// Its time, if it is one that durations can be added to.
    package borrowing func reasonableTime() throws -> Timestamp {
        let year10000 = Timestamp(microseconds: 253_402_300_800_000_000)
        guard let time = eventTime, time >= Timestamp(microseconds: 0), time < year10000 else {
            throw RecordError("the record has no time of 1970 to 9999")
        }
        return time
    }
}

extension Configuration {
    /// A whole number of the configuration within bounds.
    package borrowing func integer(
        _ name: StaticString,
        in bounds: ClosedRange<Int64>
    ) throws -> Int64 {
        let number = try fields().integer(name)
        guard bounds.contains(number) else {
            throw ConfigurationError(
                "'\(name)' is \(number); expected a whole number from \(bounds.lowerBound) to "
                    + "\(bounds.upperBound)"
            )
        }
        return number
    }
}
