//! The server as `rmcp` sees it: each method, handed on.

use crate::bus;
use crate::catalog::{prompts, resources};
use crate::dialogue::{Call, Retry, Session, Stop};
use crate::ledger::{End, Start};
use crate::page::page;
use crate::shared::Shared;
use crate::tools;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CancelTaskParams, CompleteRequestParams, CompleteResult,
    CompletionInfo, GetPromptRequestParams, GetPromptResponse, GetTaskParams, GetTaskResult, Implementation,
    InitializeRequestParams, InitializeResult, ListPromptsResult, ListResourceTemplatesResult,
    ListResourcesResult, ListToolsResult, PaginatedRequestParams, ProtocolVersion, ReadResourceRequestParams,
    ReadResourceResponse, ServerCapabilities, ServerConfig, SetLevelRequestParams, SubscribeRequestParams,
    SubscriptionFilter, Tool, UnsubscribeRequestParams, UpdateTaskParams,
};
use rmcp::service::{NotificationContext, RequestContext, RoleServer, SubscriptionContext};
use rmcp::{ErrorData, ServerHandler};
use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;

type Changes = broadcast::Receiver<bus::Change>;

/// One legacy session, or one modern request.
pub(crate) struct Everything {
    shared: Arc<Shared>,
    session: Arc<Session>,
    /// Taken before a listener is acknowledged, so that no change falls between.
    changes: Mutex<Option<Changes>>,
}

impl Everything {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, session: Arc::default(), changes: Mutex::default() }
    }

    async fn prompt(
        &self,
        request: GetPromptRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let start = if request.request_state.is_some() { Start::Again } else { Start::Anew };
        let retry = Retry { responses: request.input_responses, state: request.request_state };
        let name = format!("prompt:{}", request.name);
        let arguments = request.arguments.unwrap_or_default();
        let call = Call::new(name, arguments, retry, cx, &self.shared, &self.session)?;
        let entry = self.shared.ledger.call(&call.name, call.session_id().as_deref(), start);
        let (response, end) = match prompts::get(&call, &request.name).await {
            Ok(result) => (Ok(result.into()), End::Finished),
            Err(Stop::Asks(asks)) => (Ok(asks.into()), End::Asked),
            Err(Stop::Refused(error)) => (Err(error), End::Refused),
            Err(Stop::Failed(message)) => (Err(ErrorData::internal_error(message, None)), End::Refused),
            Err(Stop::Cancelled) => (Err(ErrorData::internal_error("cancelled", None)), End::Cancelled),
        };
        entry.close(end);
        response
    }
}

impl ServerHandler for Everything {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder()
            .enable_tools()
            .enable_tool_list_changed()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_resources()
            .enable_resources_subscribe()
            .enable_logging()
            .enable_completions()
            .enable_tasks()
            .build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("everything", env!("CARGO_PKG_VERSION")))
            .with_instructions("Everything that a test may want.")
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Owned(self.shared.options.era.versions())
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        self.shared.ledger.initialize();
        cx.peer.set_peer_info(request.clone());
        let mut result = self.negotiate_initialize(&request)?;
        // The tasks extension belongs to 2026-07-28.
        result.capabilities.extensions = None;
        Ok(result)
    }

    async fn on_initialized(&self, cx: NotificationContext<RoleServer>) {
        self.shared.bus.join(cx.peer, Arc::clone(&self.session.watched));
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.session.set_level(request.level);
        Ok(())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let typed = request.argument.value;
        let values = ["paris", "park", "party"].into_iter().filter(|value| value.starts_with(&typed));
        let values = values.map(str::to_owned).collect();
        let info = CompletionInfo::with_all_values(values);
        Ok(CompleteResult::new(info.map_err(|error| ErrorData::internal_error(error, None))?))
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let page = page(self.shared.catalog.tools(), self.shared.options.page_size, request.as_ref())?;
        let mut result = ListToolsResult::with_all_items(page.entries);
        result.next_cursor = page.next;
        Ok(result)
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        self.shared.catalog.tool(name)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let start = if request.request_state.is_some() { Start::Again } else { Start::Anew };
        let retry = Retry { responses: request.input_responses, state: request.request_state };
        let (name, arguments) = (request.name.into_owned(), request.arguments.unwrap_or_default());
        let call = Call::new(name, arguments, retry, cx, &self.shared, &self.session)?;
        tools::call(call, start).await
    }

    async fn list_prompts(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        let page = page(self.shared.catalog.prompts(), self.shared.options.page_size, request.as_ref())?;
        let mut result = ListPromptsResult::with_all_items(page.entries);
        result.next_cursor = page.next;
        Ok(result)
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        cx: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        self.prompt(request, cx).await
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let all = resources::all(self.shared.catalog.extra);
        let page = page(all, self.shared.options.page_size, request.as_ref())?;
        let mut result = ListResourcesResult::with_all_items(page.entries);
        result.next_cursor = page.next;
        Ok(result)
    }

    async fn list_resource_templates(
        &self,
        request: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let page = page(resources::templates(), self.shared.options.page_size, request.as_ref())?;
        let mut result = ListResourceTemplatesResult::with_all_items(page.entries);
        result.next_cursor = page.next;
        Ok(result)
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        resources::read(&request.uri).map(ReadResourceResponse::from)
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.session.watched.lock().unwrap_or_else(PoisonError::into_inner).insert(request.uri);
        Ok(())
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.session.watched.lock().unwrap_or_else(PoisonError::into_inner).remove(&request.uri);
        Ok(())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        *self.changes.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.shared.bus.listen());
        Some(requested.clone())
    }

    async fn listen(&self, stream: SubscriptionContext) -> Result<(), ErrorData> {
        let changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner).take();
        bus::forward(changes.unwrap_or_else(|| self.shared.bus.listen()), &stream).await;
        Ok(())
    }

    async fn get_task(
        &self,
        request: GetTaskParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetTaskResult, ErrorData> {
        self.shared.tasks.get_task(&request.task_id).map(GetTaskResult::new)
    }

    async fn update_task(
        &self,
        request: UpdateTaskParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.shared.tasks.update_task(&request.task_id, request.input_responses)
    }

    async fn cancel_task(
        &self,
        request: CancelTaskParams,
        _: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.shared.tasks.cancel_task(&request.task_id)
    }
}
