import ApusGraph

extension JobDecoder {
    /// Reads `async` of an operator; `nil` if there is none.
    func decodeAsync(_ reader: ObjectReader<OperatorKey>) -> AsyncDescription? {
        guard let node = reader.value(.async) else { return nil }
        var result = AsyncDescription()
        let path = reader.path(.async)
        guard let reader = ObjectReader<AsyncKey>(node, path: path, log: log) else {
            return result
        }
        result.capacity =
            reader.integer(.capacity, in: AsyncDescription.capacityRange) ?? result.capacity
        result.timeoutMicroseconds =
            reader.duration(.timeout, in: AsyncDescription.timeoutRange, such: "30s")
            ?? result.timeoutMicroseconds
        result.retryCount =
            reader.integer(.retries, in: AsyncDescription.retryCountRange) ?? result.retryCount
        result.retryDelayMicroseconds =
            reader.duration(.retryDelay, in: AsyncDescription.retryDelayRange, such: "1s")
            ?? result.retryDelayMicroseconds
        result.order = reader.choice(.order, AsyncDescription.Order.self) ?? result.order
        result.failurePolicy =
            reader.choice(.onFailure, AsyncDescription.FailurePolicy.self)
            ?? result.failurePolicy
        return result
    }
}
