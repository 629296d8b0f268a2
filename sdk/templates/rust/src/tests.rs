//! Tests of apus-name in a host in memory, whose clock the test sets: `make test`.

use apus::testing::{Harness, TestRecord};
use apus::SECOND;

use crate::ApusNameOperator;

#[test]
fn a_count_is_told_when_its_key_is_silent() {
    let mut host = Harness::<ApusNameOperator>::new("{}");
    host.feed("ann", "a record", 100 * SECOND);
    host.feed("bob", "a record", 110 * SECOND);
    host.feed("ann", "a record", 120 * SECOND);
    assert_eq!(host.sum("count", "ann"), 2);
    host.watermark(170 * SECOND); // bob has been silent for a minute, ann has not
    assert_eq!(host.values("main"), ["bob,1"]);
    host.end();
    assert_eq!(host.values("main"), ["bob,1", "ann,2"]);
}

#[test]
fn a_record_without_a_time_is_refused() {
    let mut host = Harness::<ApusNameOperator>::new("{}");
    host.feed_record(&TestRecord { time: None, ..TestRecord::new("eve", "a record", 0) });
    assert_eq!(host.rejected(), ["the record has no time"]);
}
