import Testing

@testable import ApusJobFile

/// What is wrong with the file as YAML, at its top, or in its variables.
@Suite("Job file: mistakes in the document")
struct DocumentErrorTests {
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
            "a wrong apiVersion",
            "apus/v1",
            "apus/v2",
            """
            job.yaml:1:13: apiVersion: the string 'apus/v2'; expected 'apus/v1'
            """
        ),
        Mistake(
            "a wrong kind",
            "kind: Job",
            "kind: job",
            """
            job.yaml:2:7: kind: the string 'job'; expected 'Job'
            """
        ),
        Mistake(
            "no apiVersion",
            "apiVersion: apus/v1\n",
            "",
            """
            job.yaml:1:1: no 'apiVersion'; expected 'apiVersion: apus/v1'
            """
        ),
        Mistake(
            "no metadata",
            "metadata: { name: flights }\n",
            "",
            """
            job.yaml:1:1: no 'metadata'; expected 'metadata: { name: ... }'
            """
        ),
        Mistake(
            "no name",
            "{ name: flights }",
            "{}",
            """
            job.yaml:3:11: metadata: no 'name'; expected the name of the job
            """
        ),
        Mistake(
            "an unquoted @key",
            "key: tailnum",
            "key: @key",
            """
            job.yaml:27:12: not YAML: while scanning for the next token (line 27): found \
            character that cannot start any token; put a value that starts with '@' in \
            quotes
            """
        ),
        Mistake(
            "a duplicate key",
            "  parallelism: 2",
            "  parallelism: 2\n  parallelism: 3",
            """
            job.yaml:5:3: duplicate key 'parallelism'; expected each key once in a mapping; \
            remove one of them
            """
        ),
        Mistake(
            "a tab",
            "  parallelism: 2",
            "\tparallelism: 2",
            """
            job.yaml:5:1: not YAML: while scanning for the next token (line 5): found \
            character that cannot start any token; indent with spaces; YAML allows no tabs \
            there
            """
        ),
        Mistake(
            "an open bracket",
            "[a, b]",
            "[a, b",
            """
            job.yaml:28:40: not YAML: while parsing a flow sequence (line 28): did not find \
            expected ',' or ']'
            """
        ),
        Mistake(
            "a second document",
            "metadata: {",
            "---\nmetadata: {",
            """
            job.yaml:3:1: not YAML: expected a single document in the stream (line 1): but \
            found another document
            """
        ),
        Mistake(
            "a control character",
            "flights }",
            "fl\u{1}ghts }",
            """
            job.yaml:3:21: not YAML: control characters are not allowed; expected text \
            without control characters
            """
        ),
        Mistake(
            "a tag",
            "limit: 3",
            "limit: !secret x",
            """
            job.yaml:28:24: spec.operators[aircraft].config.limit: the tag '!secret'; \
            expected a value without a tag
            """
        ),
        Mistake(
            "a list as a key",
            "limit: 3",
            "[a, b]: 3",
            """
            job.yaml:28:17: spec.operators[aircraft].config: a list as a key; expected a \
            word as a key
            """
        ),
        Mistake(
            "an undefined alias",
            "limit: 3",
            "limit: *none",
            """
            job.yaml:28:24: not YAML: found undefined alias
            """
        ),
        Mistake(
            "an unset variable",
            "path: data/flights.csv.gz",
            "path: ${DATA}/x",
            """
            job.yaml:13:15: spec.sources[departures].config.path: the variable 'DATA' is not\
             set; set it or give a default: ${DATA:default}
            """
        ),
        Mistake(
            "an open variable",
            "path: data/flights.csv.gz",
            "path: \"${DATA\"",
            """
            job.yaml:13:15: spec.sources[departures].config.path: '${' without '}'; write \
            '$${' for the characters '${'
            """
        ),
        Mistake(
            "a bad variable name",
            "path: data/flights.csv.gz",
            "path: \"${a-b}\"",
            """
            job.yaml:13:15: spec.sources[departures].config.path: 'a-b' as the name of a \
            variable; expected letters, digits and '_'; write '$${' for the characters '${'
            """
        ),
        Mistake(
            "a variable of the wrong type",
            "  parallelism: 2",
            "  parallelism: ${SECRET}",
            """
            job.yaml:5:16: spec.parallelism: '${SECRET}', which stands for a string; \
            expected an integer from 1 to 32768
            """
        ),
        Mistake(
            "no spec",
            "\nspec:",
            "\nspecs:",
            """
            job.yaml:1:1: no 'spec'; expected what the job consists of
            job.yaml:4:1: unknown key 'specs'; expected one of apiVersion, kind, metadata, \
            spec; did you mean 'spec'?
            """
        ),
        Mistake(
            "two mistakes",
            "  parallelism: 2\n  max-parallelism: 1024",
            "  paralelism: 2\n  max-parallelism: 1e6",
            """
            job.yaml:5:3: spec: unknown key 'paralelism'; expected one of parallelism, \
            max-parallelism, buffer-timeout, errors, checkpoint, state, memory, plugins, \
            delivery, secrets, sources, operators, sinks; did you mean 'parallelism'?
            job.yaml:6:20: spec.max-parallelism: the number '1e6'; expected an integer from \
            1 to 32768
            """
        ),
    ]
}
