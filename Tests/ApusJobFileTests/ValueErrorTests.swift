import Testing

@testable import ApusJobFile

/// What is wrong with one value.
@Suite("Job file: mistakes in values")
struct ValueErrorTests {
    @Test("are reported with place, expectation and remedy", arguments: cases)
    func areReportedWithPlaceExpectationAndRemedy(mistake: Mistake) {
        let result = JobFileSample.read(
            replacing: mistake.old,
            with: mistake.new,
            environment: ["SECRET": "hunter2"]
        )
        #expect(result.errorLines.joined(separator: "\n") == mistake.text)
    }

    /// Each changes one place of the sample.
    static let cases = [
        Mistake(
            "an unknown key",
            "  parallelism: 2",
            "  paralelism: 2",
            """
            job.yaml:5:3: spec: unknown key 'paralelism'; expected one of parallelism, \
            max-parallelism, buffer-timeout, errors, checkpoint, state, memory, plugins, \
            delivery, secrets, sources, operators, sinks; did you mean 'parallelism'?
            """
        ),
        Mistake(
            "an unknown key of an operator",
            "component: aircraft",
            "componet: aircraft",
            """
            job.yaml:25:7: spec.operators[aircraft]: unknown key 'componet'; expected one of\
             id, plugin, component, function, input, inputs, broadcast, key, state, async, config; \
            did you mean 'component'?
            """
        ),
        Mistake(
            "a name with other characters",
            "name: flights",
            "name: Flights_1",
            """
            job.yaml:3:19: metadata.name: the string 'Flights_1'; expected 1 to 63 \
            characters a-z, 0-9 and '-', not starting with '-'
            """
        ),
        Mistake(
            "an id with other characters",
            "id: results",
            "id: -results",
            """
            job.yaml:30:13: spec.sinks[-results].id: the string '-results'; expected 1 to 63\
             characters a-z, 0-9 and '-', not starting with '-'
            """
        ),
        Mistake(
            "an id that is a number",
            "id: results",
            "id: 7",
            """
            job.yaml:30:13: spec.sinks[7].id: the number '7'; expected 1 to 63 characters \
            a-z, 0-9 and '-', not starting with '-'; put it in quotes
            """
        ),
        Mistake(
            "a string for a number",
            "  parallelism: 2",
            "  parallelism: two",
            """
            job.yaml:5:16: spec.parallelism: the string 'two'; expected an integer from 1 to\
             32768
            """
        ),
        Mistake(
            "a quoted number",
            "  parallelism: 2",
            "  parallelism: \"2\"",
            """
            job.yaml:5:16: spec.parallelism: the string '2'; expected an integer from 1 to \
            32768
            """
        ),
        Mistake(
            "a string for a mapping",
            "{ policy: dead-letter, dead-letter-file: out/dead-letter.jsonl }",
            "fail",
            """
            job.yaml:8:11: spec.errors: the string 'fail'; expected a mapping
            """
        ),
        Mistake(
            "nothing for a string",
            "key: tailnum",
            "key:",
            """
            job.yaml:27:11: spec.operators[aircraft].key: nothing; expected the name of a \
            field, or "@key"
            """
        ),
        Mistake(
            "an empty key",
            "key: tailnum",
            "key: \"\"",
            """
            job.yaml:27:12: spec.operators[aircraft].key: an empty string; expected the name\
             of a field, or "@key"
            """
        ),
        Mistake(
            "a key with an empty part",
            "key: tailnum",
            "key: a..b",
            """
            job.yaml:27:12: spec.operators[aircraft].key: the string 'a..b'; expected the \
            name of a field, or names joined by single dots
            """
        ),
        Mistake(
            "a misspelt @key",
            "key: tailnum",
            "key: \"@kye\"",
            """
            job.yaml:27:12: spec.operators[aircraft].key: the string '@kye'; expected the \
            name of a field, or "@key"; did you mean '@key'?
            """
        ),
        Mistake(
            "no plugin",
            "      plugin: aircraft\n",
            "",
            """
            job.yaml:23:7: spec.operators[aircraft]: no 'plugin'; expected the name of a \
            plugin, or a path with a '/'
            """
        ),
        Mistake(
            "parallelism 0",
            "  parallelism: 2",
            "  parallelism: 0",
            """
            job.yaml:5:16: spec.parallelism: the number '0'; expected an integer from 1 to \
            32768
            """
        ),
        Mistake(
            "a duration without unit",
            "buffer-timeout: 5ms",
            "buffer-timeout: 5",
            """
            job.yaml:7:19: spec.buffer-timeout: the number '5'; expected a duration such as \
            5ms or 1h30m; add a unit, for example '5ms' or '5s'
            """
        ),
        Mistake(
            "a duration with a fraction",
            "buffer-timeout: 5ms",
            "buffer-timeout: 1.5s",
            """
            job.yaml:7:19: spec.buffer-timeout: the string '1.5s'; expected a duration such \
            as 5ms or 1h30m; write whole numbers with a smaller unit, such as 1500ms
            """
        ),
        Mistake(
            "a duration with an unknown unit",
            "buffer-timeout: 5ms",
            "buffer-timeout: 5sec",
            """
            job.yaml:7:19: spec.buffer-timeout: the string '5sec'; expected a duration such \
            as 5ms or 1h30m; there is no unit 'sec', only us, ms, s, m, h and d
            """
        ),
        Mistake(
            "a negative duration",
            "buffer-timeout: 5ms",
            "buffer-timeout: -5s",
            """
            job.yaml:7:19: spec.buffer-timeout: the string '-5s'; expected a duration such \
            as 5ms or 1h30m
            """
        ),
        Mistake(
            "a duration beyond 64 bits",
            "idle-after: 30s",
            "idle-after: 999999999999d",
            """
            job.yaml:21:21: spec.sources[departures].watermark.idle-after: the string \
            '999999999999d'; expected a duration such as 5ms or 1h30m, or 'never'; it is longer \
            than 36500d
            """
        ),
        Mistake(
            "an unknown policy",
            "policy: dead-letter",
            "policy: dead-leter",
            """
            job.yaml:8:21: spec.errors.policy: the string 'dead-leter'; expected one of \
            fail, dead-letter; did you mean 'dead-letter'?
            """
        ),
        Mistake(
            "no time field",
            "fields: [year, month, day, hour, minute]\n        ",
            "",
            """
            job.yaml:19:9: spec.sources[departures].watermark: no field that holds the time;\
             expected 'field' or 'fields'
            """
        ),
        Mistake(
            "too few time fields",
            "[year, month, day, hour, minute]",
            "[year, month]",
            """
            job.yaml:19:17: spec.sources[departures].watermark.fields: 2 fields; expected 5 \
            or 6 field names: year, month, day, hour, minute and perhaps second
            """
        ),
        Mistake(
            "a unit for several time fields",
            "idle-after: 30s",
            "unit: ms",
            """
            job.yaml:21:15: spec.sources[departures].watermark.unit: a unit together with \
            'fields'; expected a unit only together with 'field'
            """
        ),
        Mistake(
            "both kinds of time field",
            "idle-after: 30s",
            "field: ts",
            """
            job.yaml:19:17: spec.sources[departures].watermark.fields: both 'field' and \
            'fields'; expected one of the two
            """
        ),
        Mistake(
            "an unknown time unit",
            "fields: [year, month, day, hour, minute]",
            "field: ts\n        unit: seconds",
            """
            job.yaml:20:15: spec.sources[departures].watermark.unit: the string 'seconds'; \
            expected one of s, ms, us, rfc3339
            """
        ),
        Mistake(
            "follow for a compressed file",
            "follow: false",
            "follow: true",
            """
            job.yaml:17:17: spec.sources[departures].config.follow: 'follow: true' for a \
            compressed file; expected a file whose name does not end in .gz
            """
        ),
        Mistake(
            "a truth value in quotes",
            "follow: false",
            "follow: 'no'",
            """
            job.yaml:17:17: spec.sources[departures].config.follow: the string 'no'; \
            expected true or false
            """
        ),
        Mistake(
            "a delimiter of two characters",
            "follow: false",
            "delimiter: \";;\"",
            """
            job.yaml:17:20: spec.sources[departures].config.delimiter: the string ';;'; \
            expected one ASCII character other than a quote or a line break
            """
        ),
        Mistake(
            "a delimiter for jsonl",
            "format: csv\n        emit: line",
            "format: jsonl\n        delimiter: ;",
            """
            job.yaml:15:20: spec.sources[departures].config.delimiter: a delimiter for \
            format jsonl; expected format csv
            """
        ),
        Mistake(
            "emit json for jsonl",
            "format: csv\n        emit: line",
            "format: jsonl\n        emit: json",
            """
            job.yaml:15:15: spec.sources[departures].config.emit: 'emit: json' for format \
            jsonl; expected 'line', as each line is a JSON object already
            """
        ),
        Mistake(
            "a number in a list of strings",
            "[\"NA\", \"\"]",
            "[\"NA\", -1]",
            """
            job.yaml:16:29: spec.sources[departures].config.null-values[1]: the number '-1';\
             expected a string; put it in quotes
            """
        ),
        Mistake(
            "no path",
            "path: data/flights.csv.gz\n        ",
            "",
            """
            job.yaml:13:9: spec.sources[departures].config: no 'path'; expected the file to \
            read
            """
        ),
        Mistake(
            "config for stdout",
            "plugin: stdout,",
            "plugin: stdout, config: { path: x },",
            """
            job.yaml:31:53: spec.sinks[unidentified].config: unknown key 'path'; expected \
            'format'
            """
        ),
        Mistake(
            "a huge number",
            "limit: 3",
            "limit: 123456789012345678901234567890",
            """
            job.yaml:28:24: spec.operators[aircraft].config.limit: the number \
            '123456789012345678901234567890'; expected a number of 64 bits; put it in quotes\
             to pass it as a string
            """
        ),
    ]
}
