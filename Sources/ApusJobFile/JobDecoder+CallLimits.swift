import ApusGraph

extension JobDecoder {
    /// Reads `plugins` of `spec`.
    func decodeCallLimits(_ spec: ObjectReader<SpecKey>) -> CallLimits {
        var result = CallLimits()
        guard let node = spec.value(.plugins) else { return result }
        let path = spec.path(.plugins)
        guard let reader = ObjectReader<PluginsKey>(node, path: path, log: log) else {
            return result
        }
        let range = CallLimits.range
        if reader.isWord(.callTimeout, "never") {
            result.timeoutMicroseconds = nil
        } else {
            result.timeoutMicroseconds =
                reader.duration(.callTimeout, in: range, such: "30s", orWord: "never")
                ?? result.timeoutMicroseconds
        }
        if reader.isWord(.callWarning, "never") {
            result.warningMicroseconds = nil
        } else {
            result.warningMicroseconds =
                reader.duration(.callWarning, in: range, such: "1s", orWord: "never")
                ?? result.warningMicroseconds
        }
        return result
    }
}
