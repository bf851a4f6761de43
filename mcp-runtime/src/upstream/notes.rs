//! What there is to say of an upstream's offer, for its status.

/// Longest message, in characters.
const MAX_MESSAGE: usize = 500;

/// Gathers what is said.
#[derive(Debug, Default)]
pub(super) struct Notes {
    left_out: Vec<String>,
    remarks: Vec<String>,
}

impl Notes {
    /// What could not be read, to begin with.
    pub(super) fn of_listing(notes: &[String]) -> Self {
        Self { left_out: notes.to_vec(), remarks: Vec::new() }
    }

    /// Something that is not served, and why.
    pub(super) fn left_out(&mut self, what: String) {
        self.left_out.push(what);
    }

    /// Something else that is odd.
    pub(super) fn remark(&mut self, what: String) {
        self.remarks.push(what);
    }

    /// All of it in one message.
    pub(super) fn message(&self) -> Option<String> {
        let left_out = self.left_out.join("; ");
        let mut all = self.remarks.clone();
        if !left_out.is_empty() {
            all.insert(0, format!("left out: {left_out}"));
        }
        let (all, count) = (all.join("; "), self.left_out.len() + self.remarks.len());
        let short = || format!("{}… ({count} in all)", all.chars().take(MAX_MESSAGE).collect::<String>());
        match count {
            0 => None,
            _ if all.chars().count() <= MAX_MESSAGE => Some(all),
            _ => Some(short()),
        }
    }
}
