//! As much of JSON as a configuration needs: an object's fields, and a text.

/// Splits an object into names and values as they stand there.
pub(crate) fn object(json: &str) -> Option<Vec<(String, String)>> {
    let mut reader = Reader { json: json.as_bytes(), at: 0 };
    let mut fields: Vec<(String, String)> = Vec::new();
    reader.space();
    reader.expect(b'{')?;
    reader.space();
    if !reader.eat(b'}') {
        loop {
            reader.space();
            let name = reader.text()?;
            reader.space();
            reader.expect(b':')?;
            reader.space();
            let start = reader.at;
            reader.skip(0)?;
            if fields.iter().any(|(other, _)| *other == name) {
                return None;
            }
            fields.push((name, json.get(start..reader.at)?.into()));
            reader.space();
            if !reader.eat(b',') {
                break;
            }
        }
        reader.expect(b'}')?;
    }
    reader.space();
    (reader.at == json.len()).then_some(fields)
}

/// The text that a value is.
pub(crate) fn text(json: &str) -> Option<String> {
    let mut reader = Reader { json: json.as_bytes(), at: 0 };
    let text = reader.text()?;
    (reader.at == json.len()).then_some(text)
}

struct Reader<'a> {
    json: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn eat(&mut self, wanted: u8) -> bool {
        let is_there = self.json.get(self.at) == Some(&wanted);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        self.eat(wanted).then_some(())
    }

    fn space(&mut self) {
        while matches!(self.json.get(self.at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn next(&mut self) -> Option<u8> {
        let byte = *self.json.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn text(&mut self) -> Option<String> {
        self.expect(b'"')?;
        let mut bytes = Vec::new();
        loop {
            match self.next()? {
                b'"' => return String::from_utf8(bytes).ok(),
                b'\\' => self.escape(&mut bytes)?,
                byte if byte < b' ' => return None,
                byte => bytes.push(byte),
            }
        }
    }

    fn escape(&mut self, to: &mut Vec<u8>) -> Option<()> {
        let character = match self.next()? {
            b'u' => self.unicode()?,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            _ => return None,
        };
        to.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Some(())
    }

    fn unicode(&mut self) -> Option<char> {
        let high = self.hexadecimal()?;
        if !(0xD800..0xDC00).contains(&high) {
            return char::from_u32(high);
        }
        self.expect(b'\\')?;
        self.expect(b'u')?;
        let low = self.hexadecimal()?;
        if !(0xDC00..0xE000).contains(&low) {
            return None;
        }
        char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    }

    fn hexadecimal(&mut self) -> Option<u32> {
        let mut code = 0;
        for _ in 0..4 {
            code = code << 4 | char::from(self.next()?).to_digit(16)?;
        }
        Some(code)
    }

    /// Finds the end of a value: the host has checked that it is JSON.
    fn skip(&mut self, depth: u32) -> Option<()> {
        let (end, is_object) = match self.json.get(self.at)? {
            b'"' => return self.text().map(|_| ()),
            b'{' => (b'}', true),
            b'[' => (b']', false),
            _ => return self.skip_word(),
        };
        if depth > 64 {
            return None;
        }
        self.at += 1;
        self.space();
        if self.eat(end) {
            return Some(());
        }
        loop {
            self.space();
            if is_object {
                self.text()?;
                self.space();
                self.expect(b':')?;
                self.space();
            }
            self.skip(depth + 1)?;
            self.space();
            if !self.eat(b',') {
                return self.expect(end);
            }
        }
    }

    fn skip_word(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(byte) = self.json.get(self.at) {
            if b",]} \t\r\n".contains(byte) {
                break;
            }
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}
