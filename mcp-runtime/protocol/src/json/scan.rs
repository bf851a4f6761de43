//! One cheap pass over a text before anything reads it: is it JSON, is it shallow, has no object a key twice?
//!
//! In: bytes. Out: the same bytes as `&str`, or why they are refused. A gateway that reads one of two equal keys
//! while the server behind it reads the other has no policy at all, so a repeated key is refused in every object,
//! also when one of the two is written with escapes. `serde_json` alone bounds neither depth under `RawValue`
//! nor repeated keys.

use std::borrow::Cow;

/// Deepest nesting of arrays and objects.
pub const MAX_DEPTH: usize = 64;
/// Most keys of all objects that are open at one place; bounds memory at about 1.5 MiB.
pub const MAX_OPEN_KEYS: usize = 65_536;
/// Below this number of keys comparing each with each is faster than sorting.
const FEW_KEYS: usize = 12;
/// Shorter numbers without an exponent cannot overflow an `f64`.
const LONG_NUMBER: usize = 300;

/// Why a text is refused. Offsets are bytes from its start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// Invalid UTF-8 at this byte. 2025-11-25, transports: "JSON-RPC messages MUST be UTF-8 encoded".
    #[error("not UTF-8 at byte {0}")]
    NotUtf8(usize),
    /// Not JSON (RFC 8259) at this byte.
    #[error("not JSON at byte {0}")]
    Malformed(usize),
    /// A number at this byte that no `f64` holds.
    #[error("number out of range at byte {0}")]
    NumberOutOfRange(usize),
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
    /// One object has this key twice.
    #[error("key {0:?} given twice in one object")]
    DuplicateKey(String),
    /// More than [`MAX_OPEN_KEYS`].
    #[error("more than {MAX_OPEN_KEYS} keys in one object")]
    TooManyKeys,
}

/// Checks one JSON text with whitespace around it.
///
/// # Errors
/// The first fault met, from left to right; a repeated key is found where its object ends.
pub fn scan(bytes: &[u8]) -> Result<&str, ScanError> {
    let text = std::str::from_utf8(bytes).map_err(|error| ScanError::NotUtf8(error.valid_up_to()))?;
    let mut scanner = Scanner { text, at: 0, keys: Vec::new() };
    scanner.whitespace();
    scanner.value(0)?;
    scanner.whitespace();
    if scanner.at == text.len() { Ok(text) } else { Err(scanner.malformed()) }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// Keys of all open objects, those of the innermost last.
    keys: Vec<Cow<'a, str>>,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn malformed(&self) -> ScanError {
        ScanError::Malformed(self.at)
    }

    fn whitespace(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), ScanError> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.malformed())
        }
    }

    fn word(&mut self, word: &str) -> Result<(), ScanError> {
        word.bytes().try_for_each(|byte| self.expect(byte))
    }

    fn value(&mut self, depth: usize) -> Result<(), ScanError> {
        match self.peek() {
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => self.string().map(|_| ()),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => self.number(),
        }
    }

    /// After the opening bracket: whether a closing one follows at once.
    fn open(&mut self, depth: usize, close: u8) -> Result<bool, ScanError> {
        if depth > MAX_DEPTH {
            return Err(ScanError::TooDeep);
        }
        self.at += 1;
        self.whitespace();
        Ok(self.closes(close))
    }

    fn closes(&mut self, close: u8) -> bool {
        let closes = self.peek() == Some(close);
        self.at += usize::from(closes);
        closes
    }

    fn array(&mut self, depth: usize) -> Result<(), ScanError> {
        if self.open(depth, b']')? {
            return Ok(());
        }
        loop {
            self.value(depth)?;
            self.whitespace();
            if self.closes(b']') {
                return Ok(());
            }
            self.expect(b',')?;
            self.whitespace();
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), ScanError> {
        if self.open(depth, b'}')? {
            return Ok(());
        }
        let first_key = self.keys.len();
        loop {
            let key = self.key()?;
            self.keys.push(key);
            self.whitespace();
            self.expect(b':')?;
            self.whitespace();
            self.value(depth)?;
            self.whitespace();
            if self.closes(b'}') {
                return self.forget_keys(first_key);
            }
            self.expect(b',')?;
            self.whitespace();
        }
    }

    fn key(&mut self) -> Result<Cow<'a, str>, ScanError> {
        if self.keys.len() >= MAX_OPEN_KEYS {
            return Err(ScanError::TooManyKeys);
        }
        let start = self.at;
        let escapes = self.string()?;
        let quoted = &self.text[start..self.at];
        match escapes {
            Escapes::None => Ok(Cow::Borrowed(&quoted[1..quoted.len() - 1])),
            Escapes::Some => {
                serde_json::from_str(quoted).map(Cow::Owned).map_err(|_| ScanError::Malformed(start))
            }
        }
    }

    /// Drops the keys of the object that ends here, once none of them is there twice.
    fn forget_keys(&mut self, first: usize) -> Result<(), ScanError> {
        let keys = &mut self.keys[first..];
        let twice = if keys.len() <= FEW_KEYS {
            (1..keys.len()).find(|&at| keys[..at].contains(&keys[at]))
        } else {
            keys.sort_unstable();
            (1..keys.len()).find(|&at| keys[at - 1] == keys[at])
        };
        if let Some(at) = twice {
            return Err(ScanError::DuplicateKey(keys[at].chars().take(64).collect()));
        }
        self.keys.truncate(first);
        Ok(())
    }

    fn string(&mut self) -> Result<Escapes, ScanError> {
        self.expect(b'"')?;
        let mut escapes = Escapes::None;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escapes);
                }
                Some(b'\\') => {
                    escapes = Escapes::Some;
                    self.escape()?;
                }
                Some(0..=0x1f) | None => return Err(self.malformed()),
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<(), ScanError> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => match self.code_unit()? {
                0xd800..=0xdbff => {
                    self.expect(b'\\')?;
                    if !matches!(self.code_unit()?, 0xdc00..=0xdfff) {
                        return Err(self.malformed());
                    }
                }
                0xdc00..=0xdfff => return Err(self.malformed()),
                _ => {}
            },
            _ => return Err(self.malformed()),
        }
        Ok(())
    }

    /// `uXXXX` of an escape.
    fn code_unit(&mut self) -> Result<u16, ScanError> {
        self.expect(b'u')?;
        let digits = self.text.as_bytes().get(self.at..self.at + 4).ok_or_else(|| self.malformed())?;
        let mut unit = 0;
        for digit in digits {
            let value = char::from(*digit).to_digit(16).ok_or_else(|| self.malformed())?;
            unit = unit * 16 + u16::try_from(value).map_err(|_| self.malformed())?;
        }
        self.at += 4;
        Ok(unit)
    }

    fn number(&mut self) -> Result<(), ScanError> {
        let start = self.at;
        self.closes(b'-');
        if !self.closes(b'0') {
            self.digits()?;
        }
        if self.closes(b'.') {
            self.digits()?;
        }
        let exponent = self.closes(b'e') || self.closes(b'E');
        if exponent {
            let _sign = self.closes(b'+') || self.closes(b'-');
            self.digits()?;
        }
        let number = &self.text[start..self.at];
        let may_overflow = exponent || number.len() > LONG_NUMBER;
        if may_overflow && !number.parse::<f64>().is_ok_and(f64::is_finite) {
            return Err(ScanError::NumberOutOfRange(start));
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), ScanError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.malformed()) } else { Ok(()) }
    }
}

/// Whether a string has any.
enum Escapes {
    None,
    Some,
}
