//! A request on its way to an MCP server, and the way back to whoever made it while it runs.
//!
//! The middle of the runtime knows no revision: a transport reads what a client asks into a [`Request`] and a
//! [`Caller`], an upstream or a backend carries it out. Whatever comes before the answer goes through the caller:
//!
//! ```text
//!  client of any era           transport                    Caller                 upstream of any era
//!     POST, SSE, stdio  ──►  Request, Caller  ──────────────────────────────────►  POST, SSE
//!     progress, logs    ◄──  Event::Notice    ◄──────────  notify(Notice)     ◄──  notification
//!     server request    ◄──  Event::Question  ◄──────────  ask(Question)      ◄──  server request, or one of
//!     or input_required ──►  oneshot          ──────────►  Answer             ──►  the inputs of input_required
//! ```
//!
//! | client | upstream | a question of the upstream's |
//! |---|---|---|
//! | legacy | legacy | a server request becomes a server request |
//! | legacy | modern | each input of `input_required` becomes a server request; the answers go with the retry |
//! | modern | legacy | a server request suspends the call; `input_required` names it; the retry resumes the call |
//! | modern | modern | `input_required` passes ([`crate::call::Outcome::InputRequired`]); nothing is kept here |

mod caller;
mod place;
mod request;
mod standing;

pub use caller::{
    Answer, Caller, Deadline, Elapsed, Event, Events, Interest, Notice, Profile, Question, Unanswered,
};
pub use request::{Ask, Request, Resumption};
pub use standing::{Asked, Standing};
