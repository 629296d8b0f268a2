import CApusPlugin

/// The C functions that the host calls for an instance.
///
/// Nothing is thrown across them: an error has become a code and a message before.
enum OperatorThunks {
    // SAFETY, for all: `self` is what `create` below returned, a retained Instance, and the host
    // uses it until it calls destroy.  All pointers are valid until the callback returns.

    static func table(isKeyed: Bool, isBroadcast: Bool) -> apus_operator_vt {
        apus_operator_vt(
            size: UInt32(MemoryLayout<apus_operator_vt>.size),
            reserved: 0,
            open: { object, context in
                guard let instance = OperatorThunks.instance(object), let context else {
                    return APUS_FATAL
                }
                return instance._withUnsafeGuaranteedRef { $0.open(context) }
            },
            close: nil,
            process: { object, context, batch in
                guard let instance = OperatorThunks.instance(object), let context, let batch else {
                    return APUS_FATAL
                }
                return instance._withUnsafeGuaranteedRef { $0.process(context, batch) }
            },
            on_timers: isKeyed ? onTimers : nil,
            on_watermark: { object, context, time in
                guard let instance = OperatorThunks.instance(object), let context else {
                    return APUS_FATAL
                }
                return instance._withUnsafeGuaranteedRef { $0.onWatermark(context, time) }
            },
            process_broadcast: isBroadcast ? processBroadcast : nil,
            on_async: nil,
            cancel: nil,
            on_event: nil
        )
    }

    private static let processBroadcast:
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafeMutablePointer<apus_ctx>?, UnsafePointer<apus_batch>?
        ) -> Int32 = { object, context, batch in
            guard let instance = OperatorThunks.instance(object), let context, let batch else {
                return APUS_FATAL
            }
            return instance._withUnsafeGuaranteedRef { $0.processBroadcast(context, batch) }
        }

    private static let onTimers:
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafeMutablePointer<apus_ctx>?, UnsafePointer<apus_timers>?
        ) -> Int32 = { object, context, timers in
            guard let instance = OperatorThunks.instance(object), let context, let timers else {
                return APUS_FATAL
            }
            return instance._withUnsafeGuaranteedRef { $0.onTimers(context, timers) }
        }

    private static func instance(_ object: UnsafeMutableRawPointer?) -> Unmanaged<Instance>? {
        object.map { Unmanaged.fromOpaque($0) }
    }

    static func destroy(_ object: UnsafeMutableRawPointer?) {
        instance(object)?.release()
    }

    /// Creates an instance of a component.
    static func create(
        _ row: PluginTable.Row?,
        _ arguments: UnsafePointer<apus_args>?,
        _ object: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
        _ slot: UnsafeMutablePointer<apus_error>?
    ) -> Int32 {
        guard let arguments, let object, let row else {
            return ErrorSlot.fill(slot, APUS_FATAL, "there is no such component")
        }
        do {
            let (instance, declarations) = try row.component.create(
                configuration(arguments.pointee)
            )
            guard declarations == row.declarations else {
                throw OperatorError(
                    "operator '\(row.component.id)' declares other outputs, states, timers or "
                        + "counters than before; init() must create the same ones each time"
                )
            }
            object.pointee = Unmanaged.passRetained(instance).toOpaque()
            return APUS_OK
        } catch {
            let isConfiguration = error is ConfigurationError || error is RecordError
            return ErrorSlot.fill(
                slot,
                isConfiguration ? APUS_CONFIG : APUS_FATAL,
                String(describing: error)
            )
        }
    }

    private static func configuration(_ arguments: apus_args) -> Configuration {
        let json = Bytes(arguments.config)
        return Configuration(
            json: json == "null" || json.isEmpty ? emptyObject : json,
            job: text(arguments.job),
            operatorID: text(arguments.operator_id),
            subtask: Int(arguments.subtask),
            parallelism: Int(arguments.parallelism)
        )
    }

    private static var emptyObject: Bytes {
        // SAFETY: a literal lives for ever.
        let literal: StaticString = "{}"
        return Bytes(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
    }

    private static func text(_ text: apus_str) -> String {
        Bytes(start: text.data, count: Int(text.len)).text
    }
}
