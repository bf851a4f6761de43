//! Stand-in.
use crate::model::Body;
#[derive(Debug, Clone)] pub struct Forwarded;
#[derive(Debug)] pub struct Peers;
#[derive(Debug, thiserror::Error)] pub enum PeerError { #[error("u")] Unreachable{}, #[error("i")] Interrupted{} }
impl Peers { pub fn own_address(&self)->&str{""} pub async fn forward(&self,_:&str,_:http::Request<bytes::Bytes>)->Result<http::Response<Body>,PeerError>{Err(PeerError::Unreachable{})} }
