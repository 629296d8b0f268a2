//! Fields of a line.

/// The field with this number, counted from 0.
pub(crate) fn field(line: &[u8], column: usize) -> Option<&[u8]> {
    line.split(|byte| *byte == b',').nth(column)
}

/// The last field.
pub(crate) fn last_field(line: &[u8]) -> &[u8] {
    line.rsplit(|byte| *byte == b',').next().unwrap_or(line)
}

/// A whole number of at most 15 digits.
pub(crate) fn number(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || digits.len() > 15 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}
