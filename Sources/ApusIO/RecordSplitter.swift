/// Finds where records end: at line breaks, in CSV at those outside of quotes.
///
/// What it has looked at once it does not look at again: a record that arrives in many small pieces
/// takes no longer than one that arrives at once.  What it finds depends on the bytes only, never
/// on the pieces they came in: who reads on from a position finds what would have come.
struct RecordSplitter {
    /// A record that was found, without its line break.
    struct Slice {
        /// Its first byte, as an index of the window.
        let index: Int
        /// Its size.
        let byteCount: Int
        /// The line it begins on, counted from 1.
        let lineNumber: Int
        /// Whether it is longer than allowed; then these are only its first bytes.
        let isTooLong: Bool
    }

    private enum Place {
        case outsideQuotes
        case insideQuotes
    }

    private static let lineFeed = UInt8(ascii: "\n")
    private static let quote = UInt8(ascii: "\"")

    /// The delimiter of CSV; nil for lines without quotes.
    private let delimiter: UInt8?
    private let byteCountMax: Int

    /// The line on which the next record begins.
    private(set) var lineNumber = 1
    /// How many unread bytes have been looked at.
    private var seenByteCount = 0
    private var place = Place.outsideQuotes
    private var quotedLineCount = 0
    /// Whether what comes next is the rest of a record that was too long.
    private(set) var isSkipping = false

    /// Creates a splitter for the start of an input.
    ///
    /// - Parameters:
    ///   - delimiter: What is between the fields of CSV; nil for JSON lines.
    ///   - byteCountMax: The size of the largest record.
    init(delimiter: UInt8?, byteCountMax: Int) {
        self.delimiter = delimiter
        self.byteCountMax = byteCountMax
    }

    /// Goes on where another splitter stopped; before the first ``next(in:isFinal:)``.
    ///
    /// - Parameters:
    ///   - lineNumber: The line that comes next.
    ///   - isSkipping: Whether it is the rest of a record that was too long.
    mutating func resume(lineNumber: Int, isSkipping: Bool) {
        self.lineNumber = lineNumber
        self.isSkipping = isSkipping
        beginRecord()
    }

    /// The next record that is not empty; nil when the window does not hold all of it.
    ///
    /// - Parameters:
    ///   - window: What is unread begins with a record; the record found is consumed.
    ///   - isFinal: Whether nothing follows, so that the last record needs no line break.
    /// - Returns: Where the record is.
    mutating func next(in window: InputWindow, isFinal: Bool) -> Slice? {
        while true {
            let unread = window.unread
            let end = recordEnd(unread, isFinal)
            if isSkipping {
                guard skipRest(unread, to: end, in: window) else { return nil }
                continue
            }
            // The longest record, a carriage return and a line feed must fit.
            if (end ?? unread.count) > byteCountMax + 1 { return giveUp(unread, in: window) }
            guard let end else { return nil }
            let index = window.unreadIndex
            let line = lineNumber
            window.consume(min(end + 1, unread.count))
            lineNumber += quotedLineCount + 1
            beginRecord()
            let hasReturn = end > 0 && unread[end - 1] == UInt8(ascii: "\r")
            let byteCount = hasReturn ? end - 1 : end
            if byteCount == 0 { continue }
            return Slice(
                index: index,
                byteCount: byteCount,
                lineNumber: line,
                isTooLong: byteCount > byteCountMax
            )
        }
    }

    /// Gives up on a record that is too long: drops as much of it as may be, and no more, so that
    /// it does not matter how much of it is there already.
    private mutating func giveUp(_ unread: ByteRange, in window: InputWindow) -> Slice {
        let slice = Slice(
            index: window.unreadIndex,
            byteCount: byteCountMax + 1,
            lineNumber: lineNumber,
            isTooLong: true
        )
        window.consume(slice.byteCount)
        // The rest is searched for any line break: quotes have lost their meaning.
        beginRecord()
        countLines(unread, 0..<slice.byteCount)
        lineNumber += quotedLineCount
        quotedLineCount = 0
        isSkipping = true
        return slice
    }

    /// Drops the rest of a record that was too long, as far as it is there; false when more comes.
    private mutating func skipRest(
        _ unread: ByteRange,
        to end: Int?,
        in window: InputWindow
    ) -> Bool {
        beginRecord()
        guard let end else {
            window.consume(unread.count)
            return false
        }
        window.consume(min(end + 1, unread.count))
        lineNumber += 1
        isSkipping = false
        return true
    }

    private mutating func beginRecord() {
        seenByteCount = 0
        place = .outsideQuotes
        quotedLineCount = 0
    }

    /// The position of the line break behind the record, or of the input's end; nil for not yet.
    private mutating func recordEnd(_ unread: ByteRange, _ isFinal: Bool) -> Int? {
        if unread.isEmpty { return nil }
        if let delimiter, !isSkipping { return rowEnd(unread, isFinal, delimiter) }
        if let found = unread.firstIndex(of: Self.lineFeed, from: seenByteCount) { return found }
        seenByteCount = unread.count
        return isFinal ? unread.count : nil
    }

    private mutating func rowEnd(
        _ unread: ByteRange,
        _ isFinal: Bool,
        _ delimiter: UInt8
    ) -> Int? {
        var lineEnd = -1
        while true {
            switch place {
            case .outsideQuotes:
                if lineEnd < seenByteCount {
                    lineEnd =
                        unread.firstIndex(of: Self.lineFeed, from: seenByteCount) ?? unread.count
                }
                let line = ByteRange(unread.start, count: lineEnd)
                guard let quote = line.firstIndex(of: Self.quote, from: seenByteCount) else {
                    if lineEnd < unread.count { return lineEnd }
                    seenByteCount = unread.count
                    return isFinal ? unread.count : nil
                }
                // Elsewhere a quote is a mistake in this row, and not the start of anything.
                if quote == 0 || unread[quote - 1] == delimiter { place = .insideQuotes }
                seenByteCount = quote + 1
            case .insideQuotes:
                let quote = unread.firstIndex(of: Self.quote, from: seenByteCount)
                countLines(unread, seenByteCount..<(quote ?? unread.count))
                guard let quote, quote + 1 < unread.count || isFinal else {
                    // A quote at the very end is looked at again together with what follows it.
                    seenByteCount = quote ?? unread.count
                    return isFinal ? unread.count : nil
                }
                let isDoubled = quote + 1 < unread.count && unread[quote + 1] == Self.quote
                if !isDoubled { place = .outsideQuotes }
                seenByteCount = quote + (isDoubled ? 2 : 1)
            }
        }
    }

    private mutating func countLines(_ unread: ByteRange, _ range: Range<Int>) {
        let part = ByteRange(unread.start, count: range.upperBound)
        var index = range.lowerBound
        while let found = part.firstIndex(of: Self.lineFeed, from: index) {
            quotedLineCount += 1
            index = found + 1
        }
    }
}
