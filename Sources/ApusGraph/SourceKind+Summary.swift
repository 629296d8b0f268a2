extension SourceKind {
    // One line about each built-in source and sink, and what belongs to it, for `PlanText`.

    var summary: String {
        switch self {
        case .file(let file):
            "file \(file.path), \(file.format.summary)" + (file.isFollowed ? ", followed" : "")
        case .stdin(let format): "standard input, \(format.summary)"
        case .generator(let generator): generator.summary
        case .plugin(let component): component.summary
        }
    }
}

extension RecordFormat {
    var summary: String {
        switch encoding {
        case .jsonLines: "JSON lines"
        case .csv(_, .json): "CSV rows as JSON"
        case .csv(_, .line): "CSV rows as they are"
        case .codec(let component): "decoded by \(component.summary)"
        }
    }
}

extension GeneratorDescription {
    var summary: String {
        let what =
            switch kind {
            case .keyed(let keyCount, let byteCount):
                "\(PlanText.count(keyCount, "key")), values of \(PlanText.count(byteCount, "byte"))"
            case .impulse: "impulses"
            }
        let howMany = count.map { PlanText.count($0, "record") } ?? "endless"
        let speed = recordsPerSecond.map { ", \($0) per second" } ?? ""
        return "generator, \(what), \(howMany)\(speed), seed \(seed)"
    }
}

extension WatermarkDescription {
    var summary: String {
        let origin =
            switch timestamp {
            case .field(let path, let unit): "\(path.joined(separator: ".")) (\(unit.rawValue))"
            case .calendar(let fields): fields.joined(separator: ", ")
            case .record: "the records"
            }
        let slack = DurationText.format(microseconds: outOfOrderMicroseconds)
        let idle =
            idleAfterMicroseconds.map { "idle after \(DurationText.format(microseconds: $0))" }
            ?? "never idle"
        return "event time from \(origin); out of order by up to \(slack); \(idle)"
    }
}

extension SinkKind {
    var summary: String {
        switch self {
        case .file(let path, let appends):
            (isFolder ? "folder of part files \(path)" : "file \(path)")
                + (appends ? ", appended to" : "")
        case .stdout: "standard output"
        case .discard: "discards everything"
        case .plugin(let component): component.summary
        }
    }
}
