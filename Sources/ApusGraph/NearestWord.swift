/// Finds the valid word that the writer of a misspelt one most likely meant.
package enum NearestWord {
    /// The candidate nearest to `word`, or `nil` when none is near.
    ///
    /// Near means a third of the letters at most, and no more than three. Of equally near
    /// candidates the first wins, so the answer does not depend on hashing.
    ///
    /// - Complexity: O(n * m) for each candidate of about the same length.
    package static func find(_ word: String, among candidates: some Sequence<String>) -> String? {
        let letters = Array(word.lowercased().utf8)
        guard letters.count <= wordByteCountMax else { return nil }
        var best: (word: String, distance: Int)?
        for candidate in candidates where candidate != word {
            let other = Array(candidate.lowercased().utf8)
            let limit = min(3, max(1, max(letters.count, other.count) / 3))
            guard abs(letters.count - other.count) <= limit else { continue }
            let distance = distance(letters, other)
            if distance <= limit && distance < (best?.distance ?? Int.max) {
                best = (candidate, distance)
            }
        }
        return best?.word
    }

    /// Longer words get no suggestion: the search would cost more than it helps.
    private static let wordByteCountMax = 128

    /// The Damerau-Levenshtein distance (optimal string alignment): how many insertions,
    /// deletions, substitutions and swaps of neighbours turn one word into the other.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast = [Int](repeating: 0, count: right.count + 1)
        var last = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            current.reserveCapacity(right.count + 1)
            for column in 0..<right.count {
                let isSame = left[row] == right[column]
                var cost = min(
                    last[column + 1] + 1,
                    current[column] + 1,
                    last[column] + (isSame ? 0 : 1)
                )
                if row > 0 && column > 0
                    && left[row] == right[column - 1] && left[row - 1] == right[column]
                {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
