//! What all sessions and requests of the server share.

use crate::bus::Bus;
use crate::catalog::Catalog;
use crate::era::Era;
use crate::ledger::Ledger;
use rmcp::model::RequestStateCodec;
use rmcp::task_manager::TaskManager;
use std::num::NonZeroUsize;
use std::sync::Arc;

/// How the server is to behave.
#[derive(Clone, Debug)]
pub struct Options {
    /// The eras that it speaks.
    pub era: Era,
    /// Entries a page of each list; all of them if none.
    pub page_size: Option<NonZeroUsize>,
    /// So many further tools, prompts and resources.
    pub extra: usize,
}

/// The state behind every session.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) catalog: Catalog,
    pub(crate) bus: Bus,
    pub(crate) tasks: TaskManager,
    pub(crate) state: RequestStateCodec,
}

impl Shared {
    /// # Errors
    /// A tool's schema that is no JSON object.
    pub(crate) fn new(options: &Options, ledger: Ledger) -> anyhow::Result<Self> {
        // A constant key: all instances of the server, and a restarted one, accept each other's state.
        let state = RequestStateCodec::try_new(*b"everything/request-state/for-tests-only")?;
        Ok(Self {
            options: options.clone(),
            ledger: Arc::new(ledger),
            catalog: Catalog::new(options.extra)?,
            bus: Bus::default(),
            tasks: TaskManager::new(),
            state,
        })
    }
}
