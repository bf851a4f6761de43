//! Which version of the format a configuration needs.

use crate::{RuntimeConfig, Tool, ToolPriority};

/// The version that brought prompts, resources and guidance on tools.
const OFFERS: u32 = 3;

impl RuntimeConfig {
    /// The oldest [`FORMAT`](crate::FORMAT) that can say all of this.
    pub fn oldest_format(&self) -> u32 {
        let offers = !self.prompts.is_empty() || !self.resources.is_empty();
        let guided = self.tools.iter().any(Tool::is_guided);
        self.admission.oldest_format().max(if offers || guided { OFFERS } else { 1 })
    }
}

impl Tool {
    /// Whether it says what only format 3 can.
    fn is_guided(&self) -> bool {
        self.priority != ToolPriority::Normal || !self.examples.is_empty() || self.output_schema.is_some()
    }
}
