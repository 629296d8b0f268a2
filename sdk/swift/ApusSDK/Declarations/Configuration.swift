/// What the job file says for an operator, lent to `configure`: it cannot be kept.
public struct Configuration: ~Copyable {
    /// The `config` of the job file as compact JSON; `{}` when there is none.
    public let json: Bytes
    /// The job's name.
    public let job: String
    /// The operator's id in the job.
    public let operatorID: String
    /// Which of the operator's subtasks this instance is, from 0.
    public let subtask: Int
    /// How many subtasks the operator has.
    public let parallelism: Int

    /// The fields of the configuration.
    ///
    /// A ``RecordError`` that is thrown while `configure` reads them is reported as an error in
    /// the job file, so this is all it takes:
    ///
    /// ```swift
    /// limit = try configuration.fields().integer("limit")
    /// ```
    ///
    /// - Throws: ``RecordError`` when it is not an object.
    public func fields() throws -> JSONFields {
        try JSONFields(json)
    }
}
