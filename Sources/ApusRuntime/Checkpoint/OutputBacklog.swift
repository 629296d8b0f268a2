import ApusCore
import ApusMemory

/// Sealed output on its way to where readers look for it.
///
/// Output that was sealed for an attempt that is abandoned stays sealed: it is part of the next
/// checkpoint that is complete.  The checkpoint thread's.
struct OutputBacklog {
    private let deliveries: [String: any OutputDelivery]
    private let disk: any Disk
    /// In no complete checkpoint yet.
    private var sealed: [SealedOutput] = []
    /// In a complete checkpoint, and not delivered.
    private var due: [SealedOutput] = []

    /// Creates an empty backlog; `deliveries` is by the sinks' ids.
    init(deliveries: [String: any OutputDelivery], disk: any Disk) {
        self.deliveries = deliveries
        self.disk = disk
    }

    /// Adds what a sink has sealed.
    mutating func add(_ outputs: [SealedOutput]) { sealed += outputs }

    /// What a checkpoint has to hold: everything up to its epoch that is not delivered.
    func outputs(upTo number: UInt64) -> [SealedOutput] {
        Self.ordered(due + sealed.filter { $0.epoch <= number })
    }

    /// Notes that a checkpoint is complete: its output may be seen.
    mutating func release(upTo number: UInt64) {
        due = outputs(upTo: number)
        sealed.removeAll { $0.epoch <= number }
    }

    /// How many epochs' logs wait for their delivery.
    var dueCount: Int { due.count { $0.logPath != nil } }

    /// What the sinks' deliveries need in order to go on.
    func positions() -> [String: [UInt8]] { deliveries.mapValues(\.position) }

    /// Delivers what is due, each sink's in order; a sink that cannot take its output does not hold
    /// up the others.
    ///
    /// - Parameter limit: Output of later epochs is held back.
    /// - Returns: The first error, if any.
    mutating func deliver(upTo limit: UInt64 = .max) -> EndpointError? {
        var firstError: EndpointError?
        var failing: Set<String> = []
        var left: [SealedOutput] = []
        for output in due {
            guard output.epoch <= limit, !failing.contains(output.sink),
                let delivery = deliveries[output.sink]
            else {
                left.append(output)
                continue
            }
            do {
                try delivery.deliver(output)
                trim(output)
            } catch {
                failing.insert(output.sink)
                left.append(output)
                // One that cannot be mended by waiting matters more.
                if firstError == nil || firstError?.isRetryable == true && !error.isRetryable {
                    let text = "sink '\(output.sink)': \(error.description)"
                    firstError = EndpointError(text, isRetryable: error.isRetryable)
                }
            }
        }
        due = left
        return firstError
    }

    /// Closes all deliveries.
    ///
    /// - Returns: The first error, if any.
    func close() -> EndpointError? {
        var first: EndpointError?
        for (sink, delivery) in deliveries.sorted(by: { $0.key < $1.key }) {
            do {
                try delivery.close()
            } catch {
                first = first ?? EndpointError("sink '\(sink)': \(error.description)")
            }
        }
        return first
    }

    /// Removes a log that is delivered; one that stays is removed when the folder is next opened.
    private func trim(_ output: SealedOutput) {
        guard let path = output.logPath else { return }
        do { try disk.remove(path) } catch { return }
        Failpoint.hit(.k8)
    }

    private static func ordered(_ outputs: [SealedOutput]) -> [SealedOutput] {
        outputs.sorted { ($0.epoch, $0.subtask) < ($1.epoch, $1.subtask) }
    }
}
