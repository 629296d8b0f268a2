//! Passes lines on whose number in a column is large enough; without state.

use apus::{Config, Context, Declare, Error, Metric, Operator, Record, Result};

use crate::fields::{field, number};

pub struct Filter {
    kept: Metric,
    dropped: Metric,
    column: usize,
    minimum: i64,
}

impl Operator for Filter {
    const ID: &'static str = "filter";
    const SUMMARY: &'static str = "passes lines on whose number is large enough";

    fn new(declare: &mut Declare) -> Self {
        Filter {
            kept: declare.metric("kept", "passed on"),
            dropped: declare.metric("dropped", "too small"),
            column: 0,
            minimum: 0,
        }
    }

    fn configure(&mut self, config: &Config) -> Result {
        config.allow_only(&["column", "minimum"])?;
        self.column = config.integer_in("column", 0..=999)? as usize;
        self.minimum = config.integer("minimum")?;
        Ok(())
    }

    fn process(&mut self, record: Record<'_>, context: &mut Context<'_>) -> Result {
        let bad = |why: &str| Error::bad_record(format!("column {} {}", self.column, why));
        let text = field(record.value(), self.column).ok_or_else(|| bad("is missing"))?;
        let amount = number(text).ok_or_else(|| bad("is not a whole number"))?;
        if amount < self.minimum {
            context.count(self.dropped, 1);
            return Ok(());
        }
        context.count(self.kept, 1);
        context.forward()
    }
}
