/// Takes keys out of values: the way into an operator with `key: field`.
package protocol KeyExtractor: AnyObject {
    /// Fills the keys of a batch from its values.  A record whose value has no such field, or is
    /// not readable, gets the kind "no key".
    func extract(_ batch: RecordBatch)
}
