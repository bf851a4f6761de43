//! What the pod of a program mounts: the runtime's binary, and room to write that ends with the pod.

use k8s_openapi::{
    api::core::v1::{EmptyDirVolumeSource, Volume, VolumeMount},
    apimachinery::pkg::api::resource::Quantity,
};

/// Directory of the binary.
const BINARY_DIR: &str = "/mcpfleet";
/// The binary: `mcp-runtime`, copied from the runtime's image.
pub(super) const BINARY: &str = "/mcpfleet/mcp-runtime";
/// Home of the program.
pub(super) const HOME: &str = "/home/mcp";
/// Its directory for temporary files.
pub(super) const TMP: &str = "/tmp";
/// Name, directory and room of each volume. Who writes more is evicted, and begins anew.
const ROOM: [(&str, &str, &str); 3] =
    [("binary", BINARY_DIR, "256Mi"), ("home", HOME, "1Gi"), ("tmp", TMP, "1Gi")];

pub(super) fn all() -> Vec<Volume> {
    let volume = |(name, _, size): (&str, &str, &str)| {
        let empty = EmptyDirVolumeSource { size_limit: Some(Quantity(size.into())), medium: None };
        Volume { name: name.into(), empty_dir: Some(empty), ..Volume::default() }
    };
    ROOM.map(volume).into()
}

/// For the program, which may not change what starts it.
pub(super) fn mounts() -> Vec<VolumeMount> {
    let read_only = |directory: &str| (directory == BINARY_DIR).then_some(true);
    ROOM.map(|(name, directory, _)| mount(name, directory, read_only(directory))).into()
}

/// For who puts the binary there.
pub(super) fn binary_written() -> VolumeMount {
    mount(ROOM[0].0, BINARY_DIR, None)
}

fn mount(name: &str, directory: &str, read_only: Option<bool>) -> VolumeMount {
    VolumeMount { name: name.into(), mount_path: directory.into(), read_only, ..VolumeMount::default() }
}
