//! What the two sides can do, in the shape that each revision knows.
//!
//! | capability | since |
//! |---|---|
//! | client `roots`, `sampling` | 2024-11-05; `roots.listChanged` until 2025-11-25 |
//! | client `elicitation` | 2025-06-18; `form` and `url` since 2025-11-25, before that and without either it means `form` |
//! | client `sampling.tools`, `sampling.context` | 2025-11-25 |
//! | server `tools`, `prompts`, `resources`, `logging` | 2024-11-05 |
//! | server `completions` | 2025-03-26; before that any server could be asked |
//! | both `extensions` | 2025-11-25 by convention, 2026-07-28 by schema |

mod client;
mod server;

pub use client::{Capability, ClientCapabilities};
pub use server::{ListChanges, Offered, ResourcesOffer, ServerCapabilities};

use crate::Revision;

/// Since when there are `extensions`: the apps extension declared itself so before the schema had the member.
const EXTENSIONS_SINCE: Revision = Revision::V2025_11_25;
