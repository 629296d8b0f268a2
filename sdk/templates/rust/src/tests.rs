//! Tests of apus-name in a host in memory, whose clock the test sets: `make test`.

use apus::testing::{Harness, TestRecord};
use apus::SECOND;

use crate::ApusNameOperator;

#[test]
fn a_count_is_told_when_its_minute_is_over() {
    let mut host = Harness::<ApusNameOperator>::new("{}");
    host.feed("ann", "a record", 100 * SECOND);
    host.feed("bob", "a record", 130 * SECOND);
    host.feed("ann", "a record", 110 * SECOND);
    assert_eq!(host.map::<i64, i64>("counts", "ann"), [(1, 2)]);
    host.watermark(120 * SECOND); // the minute of ann's records is over
    assert_eq!(host.values("main"), ["ann,2"]);
    host.end();
    assert_eq!(host.values("main"), ["ann,2", "bob,1"]);
    assert_eq!(host.key_count("counts"), 0);
}

#[test]
fn a_record_without_a_time_is_refused() {
    let mut host = Harness::<ApusNameOperator>::new("{}");
    host.feed_record(&TestRecord { time: None, ..TestRecord::new("eve", "a record", 0) });
    assert_eq!(host.rejected(), ["the record has no time"]);
}
