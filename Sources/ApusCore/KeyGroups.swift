/// How keys are dealt out: hash to key group, key group to subtask.
///
/// A key belongs to one of `count` key groups for the job's whole life, whatever the parallelism;
/// a subtask owns a contiguous range of groups.  Changing the parallelism moves ownership of
/// groups and no key changes its group.
package struct KeyGroups: Equatable, Sendable {
    /// How many key groups there are: the job's `max-parallelism`, 1 to 32,768.
    package let count: Int

    /// Creates a dealing into so many groups.
    package init(count: Int) {
        precondition((1...32_768).contains(count), "max-parallelism is 1 to 32,768")
        self.count = count
    }

    /// The key group of a key's hash: its high bits, scaled to `count`.
    @inlinable
    package func group(ofHash hash: UInt64) -> Int {
        Int(truncatingIfNeeded: ((hash &>> 32) &* UInt64(truncatingIfNeeded: count)) &>> 32)
    }

    /// The subtask that owns a group.
    package func subtask(ofGroup group: Int, parallelism: Int) -> Int {
        group * parallelism / count
    }

    /// The groups that a subtask owns; empty when there are more subtasks than groups.
    package func groups(ofSubtask subtask: Int, parallelism: Int) -> Range<Int> {
        let first = (subtask * count + parallelism - 1) / parallelism
        let end = ((subtask + 1) * count + parallelism - 1) / parallelism
        return first..<end
    }
}
