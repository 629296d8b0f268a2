import ApusMemory
import CApusPlugin

/// Results of asynchronous calls on their way to an operator's outputs.
final class AsyncEmission {
    private var batches: [RecordBatch?]

    init(portCount: Int) { batches = Array(repeating: nil, count: portCount) }

    /// Appends a result; what it leaves out is as in the record that was asked for.
    ///
    /// - Returns: False when the batch is full: send, and try again.
    func append(_ result: apus_result, of record: RecordBatch) -> Bool {
        let port = Int(result.port)
        let batch = batches[port] ?? RecordBatch(recordCapacity: 1024, arenaCapacity: 64 << 10)
        batches[port] = batch
        // SAFETY: the bytes belong to the call's results, which live while it is delivered.
        let value = UnsafeRawBufferPointer(start: result.value.data, count: Int(result.value.len))
        var key: UnsafeRawBufferPointer?
        if let data = result.key.data {
            key = UnsafeRawBufferPointer(start: data, count: Int(result.key.len))
        } else if !record.isNullKey(0) {
            key = record.bytes(of: record.keys)
        }
        let time = result.ts == .min ? record.times[0] : result.ts
        return batch.append(key: key, value: value, time: time)
    }

    /// Hands on what was appended.
    func send(to ports: [OutputPort], _ counters: StageCounters) throws(JobFailure) {
        for (port, batch) in zip(ports, batches) {
            guard let batch, batch.count > 0 else { continue }
            counters.addOut(batch.count)
            try port.send(batch)
            batch.reset()
        }
    }
}
