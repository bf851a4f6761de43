//! End-to-end tests on a real Kubernetes, and the services that stand behind the fleets they deploy.
//!
//! [`harness`] talks to the cluster that `KUBECONFIG` names, through the same doors as a user: apply, watch
//! status, call through the Service. [`loopback`] runs real runtime processes without a cluster. [`services`] are real HTTP servers with a ledger of what reached them.
//! [`simulator`] needs no cluster: it measures autoscaling on a virtual clock.

pub mod harness;
pub mod loopback;
pub mod services;
pub mod simulator;
