//! What a program writes to standard output: a message a line, and whatever else it should not.

use super::{MAX_MESSAGE, delivery::Delivery, side::Listening};
use crate::program::{Line, Output, Program};
use bytes::Bytes;
use mcpfleet_protocol::{
    ErrorCode,
    client::messages,
    json::Members,
    jsonrpc::{self, Id},
};
use serde_json::value::RawValue;
use std::sync::Arc;
use tokio::sync::watch;

/// Reads to the end, and with it the session's. What is no message is passed over and told once in the upstream's status,
/// which is written with every list.
pub(super) async fn read(
    mut output: Output,
    delivery: Delivery,
    program: Arc<Program>,
    listening: watch::Sender<Listening>,
) {
    while let Ok(Some(line)) = output.next().await {
        match line {
            Line::Whole(line) if line.trim_ascii().is_empty() => {}
            Line::Whole(line) => {
                let read = parts(&line);
                if read.is_empty() && program.wrote_garbage(&line) {
                    delivery.bell.lists_changed();
                }
                for message in read {
                    delivery.deliver(message).await;
                }
            }
            Line::Cut { head, tail } => match answered(&head, &tail) {
                Some(id) => delivery.deliver(too_large(&id)).await,
                None if program.wrote_garbage(&head) => delivery.bell.lists_changed(),
                None => {}
            },
        }
    }
    listening.send_replace(Listening::Absent);
    delivery.close();
}

/// The messages of a line: one, or those of a batch (2025-03-26, basic, "Batching"); none when it is something else.
fn parts(line: &Bytes) -> Vec<Bytes> {
    if jsonrpc::parse(line).is_ok() {
        return vec![line.clone()];
    }
    let batch = messages(line).unwrap_or_default();
    let readable = batch.into_iter().filter(|message| jsonrpc::parse(message).is_ok());
    readable.map(|message| line.slice_ref(message)).collect()
}

/// Which request a line answers that is too long to be read: its id stands before what is long, or after it.
fn answered(head: &[u8], tail: &[u8]) -> Option<Id<'static>> {
    let before = head.iter().skip(1).position(|byte| matches!(byte, b'{' | b'[')).map(|at| at + 1)?;
    let head = std::str::from_utf8(head.get(..before)?).ok()?;
    let tail = tail.trim_ascii_end().strip_suffix(b"}")?;
    let after = tail.iter().rposition(|byte| matches!(byte, b'}' | b']')).map(|at| at + 1);
    let tail = after.and_then(|after| std::str::from_utf8(tail.get(after..)?).ok());
    id_of(&format!("{head}null}}")).or_else(|| id_of(&format!("{{\"result\":null{}}}", tail?)))
}

fn id_of(text: &str) -> Option<Id<'static>> {
    let raw: &RawValue = serde_json::from_str(text).ok()?;
    let members = Members::read(raw)?;
    // A request has an id as well, and nobody waits for an answer to that.
    if members.get("method").is_some() {
        return None;
    }
    members.get("id").and_then(Id::read).map(Id::into_owned)
}

fn too_large(id: &Id<'_>) -> Bytes {
    let message = format!("the server's answer is larger than {MAX_MESSAGE} bytes");
    jsonrpc::error(Some(id), ErrorCode::InternalError, &message, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_too_long_is_known_by_its_id() {
        for (head, tail, id) in [
            (r#"{"jsonrpc":"2.0","id":3,"result":{"content":[{"id":5"#, r#""id":5}]}}"#, Some(3)),
            (r#"{"result":{"content":[{"id":5,"text":"aaa"#, r#"aa"}]},"jsonrpc":"2.0","id":7}"#, Some(7)),
            (r#"{"jsonrpc":"2.0","id":3,"method":"sampling/createMessage","params":{"a":"#, r#"aa"}}"#, None),
            (r#"{"result":{"a":"#, r#"{"id":1}}}"#, None),
            ("noise that is { no message", "at all", None),
        ] {
            let found = answered(head.as_bytes(), tail.as_bytes());
            assert_eq!(found, id.map(Id::number), "{head}");
        }
    }

    #[test]
    fn what_is_no_message_is_none() {
        let parts = |text: &'static str| parts(&Bytes::from_static(text.as_bytes())).len();
        assert_eq!(parts(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#), 1);
        assert_eq!(parts(r#"[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","method":"a"}]"#), 2);
        assert_eq!(["{}", "[]", "null", "Server started", "\u{1b}[31m"].map(parts), [0; 5]);
    }
}
