//! Keeps objects that are nested too deeply from hiding all others.
//!
//! An input schema may be any JSON, and nothing at admission can bound its depth. JSON readers refuse more than
//! 128 levels, and with one such object the whole list or watch that carries it: one author would stop the
//! operator for everybody. So what lies deeper than [`LIMIT`] is replaced by `null` while the bytes pass; what
//! compile then sees is still deeper than it allows, and is refused on that object alone.

use bytes::{Bytes, BytesMut};

/// Deepest level of an answer. A list adds a few to those of its objects.
const LIMIT: usize = 100;

/// State of the filter between chunks: an answer may be cut anywhere.
#[derive(Debug, Default)]
pub(super) struct Shallow {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Shallow {
    /// The chunk with what is too deep replaced. Bytes are copied only when something is.
    pub(super) fn pass(&mut self, chunk: Bytes) -> Bytes {
        let start_is_deep = self.depth > LIMIT;
        let mut kept: Option<BytesMut> = start_is_deep.then(BytesMut::new);
        for (index, byte) in chunk.iter().enumerate() {
            let was_deep = self.depth > LIMIT;
            self.step(*byte);
            let is_deep = self.depth > LIMIT;
            match (was_deep, is_deep) {
                (false, false) => kept.iter_mut().for_each(|kept| kept.extend_from_slice(&[*byte])),
                (false, true) => {
                    let kept =
                        kept.get_or_insert_with(|| BytesMut::from(chunk.get(..index).unwrap_or_default()));
                    kept.extend_from_slice(b"null");
                }
                (true, _) => {}
            }
        }
        kept.map_or(chunk, BytesMut::freeze)
    }

    fn step(&mut self, byte: u8) {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn passed(text: &str, cut: usize) -> String {
        let mut shallow = Shallow::default();
        let cut = cut % (text.len() + 1);
        let (a, b) = text.as_bytes().split_at(cut);
        let mut out = shallow.pass(Bytes::copy_from_slice(a)).to_vec();
        out.extend(shallow.pass(Bytes::copy_from_slice(b)));
        String::from_utf8(out).unwrap()
    }

    fn nested(levels: usize) -> String {
        format!("{{\"a\": {}1{}, \"b\": \"[[[\\\"{{\"}}", "[".repeat(levels), "]".repeat(levels))
    }

    proptest! {
        #[test]
        fn what_is_shallow_passes_unchanged_however_it_is_cut(levels in 0..LIMIT, cut in any::<usize>()) {
            let text = nested(levels);
            prop_assert_eq!(passed(&text, cut), text);
        }

        #[test]
        fn what_is_deep_becomes_readable_and_the_rest_stays(levels in LIMIT..1_000_usize, cut in any::<usize>()) {
            let text = passed(&nested(levels), cut);
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&value["b"], "[[[\"{");
        }
    }

    #[test]
    fn siblings_behind_a_deep_value_are_kept() {
        let deep = nested(300);
        let text = passed(&format!("[{deep},{{\"c\":2}}]"), 7);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value[1]["c"], 2);
    }
}
