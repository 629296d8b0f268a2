import ApusCore
import ApusMemory
import ApusState
import ApusStore

/// Works on what tools ask of one subtask's state, in slices between batches.
///
/// The task thread's.
final class StateDesk {
    /// Keys that are looked up at a time: some hundred microseconds when all are on the disk.
    private static let keysPerLook = 32
    /// Rows that are looked at to tell how many keys have each state.
    private static let sampleRowCountMax = 1024

    let inbox = StateInbox()
    private lazy var keys = RecordBatch(recordCapacity: Self.keysPerLook, arenaCapacity: 16 << 10)
    /// How far the first request is.
    private var at = 0
    private var done = 0
    private var left = 0
    private var other = 0

    /// Refuses everything from now on: the thread ends.
    func close(_ reason: String) {
        inbox.close(reason)
        refuseAll(reason)
    }

    /// Answers everything that waits with a refusal.
    func refuseAll(_ reason: String) {
        while let request = inbox.first { end(request, .refused(reason)) }
    }

    /// Works until the time is up, in monotonic nanoseconds; at least a little.
    ///
    /// - Parameters:
    ///   - state: The state, between callbacks, with its time set.
    ///   - limit: When to stop.
    ///   - clock: The clock.
    func work(on state: KeyedState, until limit: Int64, clock: any Clock) {
        repeat {
            guard let request = inbox.first else { return }
            switch request.work {
            case .measure:
                end(request, .measured(Self.measure(state)))
            case .images(let rowCountMax):
                end(request, .images(state.images(rowCountMax: rowCountMax)))
            case .occupancy:
                end(request, .occupancy(state.occupancy))
            case .remove(let names, let written, let slot):
                let range = next(of: names.count)
                guard fill(names[range]) else {
                    end(request, .refused("its keys are too long"))
                    continue
                }
                count(state.removeUntouched(keys, written: written[range], slot: slot))
                finish(request, state, total: names.count)
            case .restore(let images):
                let range = next(of: images.count)
                guard fill(images[range].map(\.key)[...]) else {
                    end(request, .refused("its keys are too long"))
                    continue
                }
                count(state.restore(keys, images[range]))
                finish(request, state, total: images.count)
            }
        } while clock.monotonicNanoseconds() < limit
    }

    private func next(of total: Int) -> Range<Int> { at..<min(at + Self.keysPerLook, total) }

    private func fill(_ names: ArraySlice<[UInt8]>) -> Bool {
        keys.reset()
        return names.allSatisfy { keys.append(key: $0) }
    }

    private func count(_ outcomes: [KeyedState.Removal]) {
        for outcome in outcomes {
            switch outcome {
            case .removed: done += 1
            case .touched: left += 1
            case .missing: other += 1
            }
        }
        at += outcomes.count
    }

    private func count(_ outcomes: [KeyedState.Restoration]) {
        for outcome in outcomes {
            switch outcome {
            case .restored: done += 1
            case .occupied: left += 1
            case .unfit: other += 1
            }
        }
        at += outcomes.count
    }

    private func finish(_ request: StateRequest, _ state: KeyedState, total: Int) {
        if let failure = state.failure {
            end(request, .refused(failure.description))
        } else if at >= total {
            end(request, .changed(done: done, left: left, other: other))
        }
    }

    private func end(_ request: StateRequest, _ answer: StateRequest.Answer) {
        inbox.removeFirst()
        (at, done, left, other) = (0, 0, 0, 0)
        request.finish(answer)
    }

    private static func measure(_ state: KeyedState) -> StateMeasure {
        StateMeasure(
            keyCount: state.keyCount,
            byteCount: state.byteCount,
            eventTimerCount: state.timerCount(.event),
            processingTimerCount: state.timerCount(.processing),
            sample: state.sample(rowCountMax: sampleRowCountMax)
        )
    }
}
