//! The work of a task, behind its id.

use super::{super::exchange::Going, record::Record};
use crate::exchange::Event;
use std::sync::Arc;

/// Carries the work to its end. Dropping the future cancels it, here and upstream.
///
/// What is said on the way reaches nobody any more: the stream that it would have gone to has been answered.
pub(super) async fn drive(going: Going, record: Arc<Record>) {
    let Going { mut work, mut events, .. } = going;
    let mut speaks = true;
    loop {
        tokio::select! {
            biased;
            event = events.recv(), if speaks => match event {
                Some(Event::Question(question, reply)) => record.ask(question, reply),
                Some(Event::Notice(_)) => {}
                None => speaks = false,
            },
            answered = &mut work => return record.ended(&answered),
        }
    }
}
