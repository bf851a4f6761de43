//! Which tools of an upstream are served, and as what.

use super::{
    asynchronous,
    report::{Reason, Scope},
};
use crate::v1alpha1::{self as api, Pinning, UpstreamTools};
use mcpfleet_config as config;

pub(super) fn compile(scope: &mut Scope<'_>, at: &str, tools: &UpstreamTools) -> config::UpstreamTools {
    if !only_says_async(tools) {
        scope.error(at, Reason::NotSupported, "cannot be used yet", "leave it out");
    }
    let access = match tools.access {
        api::UpstreamAccess::Any => config::UpstreamAccess::Any,
        api::UpstreamAccess::ReadOnly => config::UpstreamAccess::ReadOnly,
    };
    let pins = || tools.pins.iter().map(|pin| (pin.name.clone(), pin.hash.clone())).collect();
    config::UpstreamTools {
        include: tools.include.clone(),
        exclude: tools.exclude.clone(),
        access,
        overrides: tools.overrides.iter().map(|it| (it.name.clone(), overridden(scope, at, it))).collect(),
        pins: (tools.pinning == Pinning::Strict).then(pins),
    }
}

fn only_says_async(tools: &UpstreamTools) -> bool {
    let rest = UpstreamTools { overrides: Vec::new(), ..tools.clone() };
    let bare = |it: &api::ToolOverride| it.rename.is_none() && it.title.is_none() && it.description.is_none();
    rest == UpstreamTools::default() && tools.overrides.iter().all(|it| bare(it) && it.annotations.is_none())
}

fn overridden(scope: &mut Scope<'_>, at: &str, wanted: &api::ToolOverride) -> config::ToolOverride {
    let field = format!("{at}.overrides[{}].async", wanted.name);
    config::ToolOverride {
        rename: wanted.rename.clone(),
        title: wanted.title.clone(),
        description: wanted.description.clone(),
        annotations: wanted.annotations.map(|hints| config::ToolAnnotations {
            read_only_hint: hints.read_only_hint,
            destructive_hint: hints.destructive_hint,
            idempotent_hint: hints.idempotent_hint,
            open_world_hint: hints.open_world_hint,
        }),
        asynchronous: asynchronous::compile(scope, &field, wanted.asynchronous.as_ref()),
    }
}
