// Written by web/tools/api.mjs from the server's OpenAPI document.
export type Alert = { id: string; name: string; monitor: string; endpoint: string; signal: string; state: string; what: string; since?: string | null | undefined };
export type AlertList = { items: Alert[] };
export type AliasHistory = { items: AliasMove[] };
export type AliasMove = { sequence: number; alias: string; version?: string | null | undefined; previous?: string | null | undefined; basis: string; reason: string; by: string; moved_at: string };
export type Approval = Record<string, unknown>;
export type Artifact = { path: string; digest: string; size_bytes: number; media_type: string };
export type ArtifactList = { items: Artifact[] };
export type Association = { column: string; score: number; method: string };
export type AuditList = Record<string, unknown>;
export type AuditVerdict = Record<string, unknown>;
export type BackupSize = Record<string, unknown>;
export type BroughtModel = Record<string, unknown>;
export type BroughtRun = { key: string; experiment?: string | undefined; name?: string | undefined; id?: string | undefined; experiment_number?: number | undefined; user?: string | undefined; created_at?: string | undefined; source?: Record<string, unknown> | undefined; params?: Record<string, unknown> | undefined; tags?: Record<string, unknown> | undefined };
export type Budget = { name: string; limit?: number | undefined; per?: "day" | "week" | "month" | "year" | "total" | undefined; project?: string | undefined; user?: string | undefined; kind?: string | undefined; warn_percent?: number | undefined; stop?: boolean | undefined; stop_running?: boolean | undefined };
export type BudgetList = Record<string, unknown>;
export type Calibration = { uniform?: CalibrationBin[] | null | undefined; quantile?: CalibrationBin[] | null | undefined; ece?: number | null | undefined };
export type CalibrationBin = { lower: number; upper: number; predicted?: number | null | undefined; observed?: number | null | undefined; rows: number };
export type Capture = Record<string, unknown>;
export type CaptureDataset = { dataset: string; from?: string | undefined; to?: string | undefined; labelled?: boolean | undefined; new_classes?: boolean | undefined };
export type CaptureList = Record<string, unknown>;
export type CapturePolicy = Record<string, unknown>;
export type CapturePolicyChange = { on?: boolean | undefined; sample?: number | undefined; columns?: Record<string, unknown> | undefined; key_column?: string | undefined; retention_days?: number | undefined; lateness_days?: number | undefined };
export type Channel = Record<string, unknown>;
export type ChannelList = Record<string, unknown>;
export type ChannelTrial = Record<string, unknown>;
export type Chart = { run: string; key: string; points: number; steps: number[]; times_us?: number[] | null | undefined; seconds?: number[] | null | undefined; values: unknown[] };
export type ChartList = { items: Chart[] };
export type CheckRecipeRequest = { recipe: unknown; dataset?: string | undefined; target?: string | undefined };
export type CheckedRecipe = Record<string, unknown>;
export type CollectResult = Record<string, unknown>;
export type Column = { name: string; type: string };
export type ColumnProfile = { name: string; type: string; missing: number; missing_fraction: number; distinct: number; min?: unknown | undefined; max?: unknown | undefined; mean?: unknown | undefined; deviation?: number | null | undefined; zeros?: number | null | undefined; quantiles?: { [name: string]: unknown } | null | undefined; histogram?: Histogram | null | undefined; top?: ValueCount[] | null | undefined };
export type Comparison = Record<string, unknown>;
export type Curves = { roc?: RocCurve | null | undefined; precision_recall?: RecallCurve | null | undefined; calibration?: Calibration | null | undefined };
export type Dataset = { id: string; project: string; name: string; versions: number; created_by: string; created_at: string; latest?: DatasetVersion | null | undefined };
export type DatasetDiff = Record<string, unknown>;
export type DatasetList = { items: Dataset[]; next_page_token?: string | null | undefined };
export type DatasetProfile = { dataset: string; version: string; rows: number; sampled_rows: number; columns: ColumnProfile[]; target?: string | null | undefined; associations?: Association[] | null | undefined; warnings: DatasetWarning[] };
export type DatasetVersion = { id: string; project: string; dataset: string; version: string; reference: string; rows: number; columns: number; bytes: number; source_bytes: number; format: string; content_hash: string; rows_quarantined: number; warnings: DatasetWarning[]; source_name: string; schema: Column[]; tags: { [name: string]: string }; created_by: string; created_at: string };
export type DatasetVersionList = { items: DatasetVersion[]; next_page_token?: string | null | undefined };
export type DatasetWarning = { kind: string; severity: string; message: string; column?: string | null | undefined; score?: number | null | undefined; leave_out?: boolean | null | undefined };
export type Declaration = Record<string, unknown>;
export type DeclarationList = Record<string, unknown>;
export type Deploy = { model: string; reason?: string | undefined; replace?: boolean | undefined };
export type DriftedColumn = { name: string; effect?: number | null | undefined; drifted?: boolean | null | undefined; reason?: string | null | undefined };
export type Effort = { wall_seconds?: number | null | undefined; cpu_seconds?: number | null | undefined; memory_bytes_peak?: number | null | undefined };
export type Endpoint = { id: string; project: string; name: string; model: string; follows?: string | null | undefined; ready: boolean; parked: boolean; variants: EndpointVariant[]; path: string; created: string; updated: string };
export type EndpointChange = { sticky?: string | undefined; park_after_seconds?: number | undefined };
export type EndpointLatency = { p50: number; p95: number; p99: number };
export type EndpointList = { items: Endpoint[]; next_page_token?: string | null | undefined };
export type EndpointLog = { items: EndpointLogLine[] };
export type EndpointLogLine = { at: string; level: string; variant?: string | null | undefined; message: string };
export type EndpointVariant = { name: string; model: string; share: number; shadow: boolean; requests?: number | null | undefined; rows?: number | null | undefined; failed?: number | null | undefined; latency_us?: EndpointLatency | null | undefined };
export type Estimate = { estimate?: number | null | undefined; lower?: number | null | undefined; upper?: number | null | undefined };
export type Evaluation = { task: string; primary: string; rows: number; metrics: { [name: string]: Estimate }; classes?: unknown[] | null | undefined; positive?: string | null | undefined; confusion?: unknown[] | null | undefined; curves?: Curves | null | undefined; importance?: Importance[] | null | undefined };
export type Event = { sequence: number; kind: string; project?: string | null | undefined; subject: string; payload: unknown; created_at: string };
export type EventList = { items: Event[]; next_page_token?: string | null | undefined };
export type ExpectationSuite = { expectations: Record<string, unknown>[]; [name: string]: unknown };
export type Expected = Record<string, unknown>;
export type Experiment = { id: string; number: number; project: string; name: string; title: string; created_at: string; deleted_at?: string | null | undefined; tags: { [name: string]: string }; runs?: number | null | undefined };
export type ExperimentChange = { title?: string | undefined; note?: string | undefined; tags?: Record<string, unknown> | undefined };
export type ExperimentFolder = { path: string; experiments: number };
export type ExperimentList = { items: Experiment[]; folders?: ExperimentFolder[] | null | undefined; next_page_token?: string | null | undefined };
export type FeedbackTaken = Record<string, unknown>;
export type Firing = { id: string; trigger: string; project: string; cause: string; subject: string; text: string; state: string; reason: string; outcome?: FiringOutcome | null | undefined; run?: string | null | undefined; created_at: string; ended_at?: string | null | undefined };
export type FiringList = { items: Firing[]; next_page_token?: string | null | undefined };
export type FiringOutcome = { kind: string; text: string };
export type Forecast = { project: string; month: string; so_far: number; expected: number; so_far_text: string; expected_text: string; currency: string; how: string };
export type ForecastList = { items: Forecast[] };
export type Forgotten = Record<string, unknown>;
export type GoalState = { kpi: string; state: string; value?: number | null | undefined; reason: string; since?: string | null | undefined };
export type Grant = { project: string; role: string };
export type Histogram = { edges: unknown[]; counts: number[] };
export type Importance = { column: string; mean: number; deviation?: number | null | undefined };
export type Inputs = { id: string; role: string };
export type IssuedToken = Record<string, unknown>;
export type Job = { id: string; kind: string; project?: string | null | undefined; title: string; state: string; progress?: number | null | undefined; progress_text?: string | null | undefined; result?: unknown | undefined; error?: unknown | undefined; created_at: string };
export type JobList = { items: Job[]; next_page_token?: string | null | undefined };
export type Kpi = { text: string; name: string; comparison: string; value: number; unit: string; is_metric: boolean };
export type KpiState = { kpi: string; state: string; value?: number | null | undefined; reason: string; since?: string | null | undefined; at?: string | null | undefined; trend?: KpiTrend | null | undefined };
export type KpiStateList = { items: KpiState[] };
export type KpiTrend = { change: number; since: string };
export type Lap = { version: number; name: string; begun: string; answers: boolean; arcs: LapArc[] };
export type LapArc = { stage: string; effort: string; mark?: string | null | undefined; text?: string | null | undefined; at?: string | null | undefined };
export type Lineage = Record<string, unknown>;
export type LocalOwner = { allowed: boolean; why_not: string };
export type Loop = { project: string; statement: string; model: string; at: string; goals: GoalState[]; stages: LoopStage[]; laps: Lap[]; laps_before: number; running?: RunningLap | null | undefined; maturity: MaturityLevel[] };
export type LoopStage = { stage: string; number: number; state: string; at?: string | null | undefined; figure: string; fact: string; next: NextAct; trend: number[] };
export type Maturity = { scales: MaturityScale[] };
export type MaturityLevel = { scale: string; level: number; of: number; next?: MaturityNext | null | undefined };
export type MaturityNext = { claim: string; missing: string; act: NextAct };
export type MaturityRow = { level: number; claim: string; met: boolean; evidence: string; page?: string | null | undefined; act?: NextAct | null | undefined };
export type MaturityScale = { scale: string; level: number; of: number; next?: MaturityNext | null | undefined; rows: MaturityRow[] };
export type Me = { id: string; name: string; kind: string; roles: Grant[]; scopes: string[]; local_owner: LocalOwner };
export type MetricGain = { a?: number | null | undefined; b?: number | null | undefined; gain?: number | null | undefined; lower?: number | null | undefined; upper?: number | null | undefined };
export type MetricHistory = { key: string; items: MetricPoint[] };
export type MetricPoint = { step: number; value?: number | null | undefined; time: string };
export type Model = { id: string; project: string; name: string; description: string; versions: number; latest?: string | null | undefined; aliases: { [name: string]: string }; created_by: string; created_at: string; updated_at: string };
export type ModelComparison = { primary: string; rows: number; metrics: { [name: string]: MetricGain } };
export type ModelEvaluation = { evaluation: Evaluation; comparison?: ModelComparison | null | undefined };
export type ModelList = { items: Model[]; next_page_token?: string | null | undefined };
export type ModelRecipe = Record<string, unknown>;
export type ModelVersion = { id: string; project: string; model: string; version: number; name: string; task: string; target: string; learner: string; metrics: { [name: string]: number | null }; signature: unknown; aliases: string[]; run?: string | null | undefined; datasets: Inputs[]; recipe_hash: string; evaluation?: string | null | undefined; created_by: string; created_at: string };
export type ModelVersionList = { items: ModelVersion[]; next_page_token?: string | null | undefined };
export type Monitor = { id: string; project: string; name: string; endpoint: string; enabled: boolean; state: string; windows: number; newest?: string | null | undefined; firing: number; pending: number; window_text: string; alert_text: string };
export type MonitorList = { items: Monitor[] };
export type NewChannel = { name: string; min_severity?: "info" | "warning" | "critical" | undefined; replace?: boolean | undefined; webhook?: string | undefined; format?: "json" | "slack" | "teams" | undefined; secret?: string | undefined; smtp?: string | undefined; tls?: "starttls" | "from-start" | "none" | undefined; from?: string | undefined; to?: string[] | undefined; user?: string | undefined; password?: string | undefined };
export type NewDeclaration = { spec: Record<string, unknown>; made?: boolean | undefined; id?: string | undefined };
export type NewExperiment = { title: string; note?: string | undefined; tags?: Record<string, unknown> | undefined };
export type NewLogin = { name: string; password: string; as?: "token" | "cookie" | undefined };
export type NewNotice = { title: string; text?: string | undefined; kind?: string | undefined; severity?: "info" | "warning" | "critical" | undefined; key?: string | undefined; links?: Record<string, unknown>[] | undefined; payload?: Record<string, unknown> | undefined; channels?: string[] | undefined };
export type NewPipeline = { source: string; source_name?: string | undefined };
export type NewPipelineRun = { pipeline?: string | undefined; source?: string | undefined; source_name?: string | undefined; params?: Record<string, unknown> | undefined; param_texts?: string[] | undefined; no_cache?: boolean | undefined; key?: string | undefined };
export type NewProgram = { source: Record<string, unknown>; experiment?: string | undefined; name?: string | undefined; code?: Record<string, unknown> | undefined; environment?: Record<string, unknown> | undefined; params?: Record<string, unknown> | undefined; tags?: Record<string, unknown> | undefined; process?: number | undefined; rerun_of?: string | undefined; pin_data?: boolean | undefined };
export type NewProject = { name: string; problem?: ProblemChange | undefined };
export type NewSecret = { value: string };
export type NewSetup = { token: string; name: string; password: string; as?: "token" | "cookie" | undefined };
export type NewToken = { name?: string | undefined; scopes?: string[] | undefined; project?: string | undefined; expires_in_seconds?: number | undefined };
export type NewTrigger = { name: string; on: Record<string, unknown>; run: Record<string, unknown>; guards?: Record<string, unknown> | undefined; approval?: string | undefined; enabled?: boolean | undefined };
export type NewUser = { name: string; password: string; roles?: Record<string, unknown>[] | undefined };
export type NextAct = { label: string; command: string; page: string };
export type Notice = Record<string, unknown>;
export type NoticeList = Record<string, unknown>;
export type ParkedEventList = Record<string, unknown>;
export type PasswordChange = { old: string; new: string };
export type Pipeline = Record<string, unknown>;
export type PipelineApproval = { step: string; approved?: boolean | undefined; reason?: string | undefined };
export type PipelineComparison = Record<string, unknown>;
export type PipelineList = Record<string, unknown>;
export type PipelineLogPart = Record<string, unknown>;
export type PipelineRun = { id: string; short: string; project: string; pipeline: string; version: number; state: string; reason: string; error: string; triggered_by: string; created_by: string; created_at: string; ended_at?: string | null | undefined; seconds?: number | null | undefined };
export type PipelineRunDetails = Record<string, unknown>;
export type PipelineRunList = { items: PipelineRun[]; next_page_token?: string | null | undefined };
export type PipelineVersion = Record<string, unknown>;
export type PredictRequest = { inputs: Record<string, unknown>[]; event_time?: string | undefined; event_times?: unknown | undefined; inference_ids?: unknown | undefined; keys?: unknown | undefined; [name: string]: unknown };
export type PredictSignature = { endpoint: string; model: string; task: string; target: string; columns: Column[]; classes?: unknown[] | null | undefined };
export type Prediction = { model: string; inference_id?: string | null | undefined; outputs: PredictionRow[] };
export type PredictionRow = { prediction: unknown; probability?: { [name: string]: number } | null | undefined };
export type PriceBook = { currency?: string | undefined; valid_from?: string | undefined; cpu_hour_micros?: number | undefined; gpu_hour_micros?: number | undefined; memory_gib_hour_micros?: number | undefined; gigabyte_micros?: number | undefined; storage_gigabyte_month_micros?: number | undefined; egress_gigabyte_micros?: number | undefined; thousand_requests_micros?: number | undefined };
export type PriceBookList = Record<string, unknown>;
export type Problem = { type?: string | undefined; title: string; status: number; code: string; kind?: string | undefined; message: string; why?: string | undefined; fix?: string[] | undefined; where?: string | undefined; doc?: string | undefined; request_id: string };
export type ProblemChange = { statement?: string | undefined; target?: string | undefined; owner?: string | undefined; kpis?: string[] | undefined };
export type ProblemStatement = { version: number; statement: string; target: string; owner: string; kpis: Kpi[]; created_by: string; created_at: string };
export type ProblemStatementList = { items: ProblemStatement[]; next_page_token?: string | null | undefined };
export type Program = Record<string, unknown>;
export type Project = { id: string; name: string; created_by: string; created_at: string; problem?: ProblemStatement | null | undefined };
export type ProjectList = { items: Project[]; next_page_token?: string | null | undefined };
export type PromoteVariant = { replace?: boolean | undefined; reason?: string | undefined };
export type Purge = { runs?: string[] | undefined; experiments?: string[] | undefined };
export type PurgedRuns = Record<string, unknown>;
export type QuarantineList = Record<string, unknown>;
export type QueryRequest = { sql: string; limit?: number | undefined; format?: "csv" | "jsonl" | "parquet" | undefined };
export type QueryResult = { columns?: Column[] | null | undefined; rows?: unknown[] | null | undefined; truncated?: boolean | null | undefined; job?: string | null | undefined; state?: string | null | undefined };
export type RecallCurve = { recall: number[]; precision: number[]; threshold: unknown[] };
export type Restore = { as?: string | undefined };
export type RestoredBlob = Record<string, unknown>;
export type RetentionList = Record<string, unknown>;
export type RetryPipelineRun = { from?: string | undefined };
export type RocCurve = { fpr: number[]; tpr: number[]; threshold: unknown[] };
export type RoleList = Record<string, unknown>;
export type Rollback = { to?: number | undefined; reason?: string | undefined };
export type Rows = Record<string, unknown>;
export type Run = { id: string; project: string; experiment: string; name: string; kind: string; status: string; job?: string | null | undefined; parent?: string | null | undefined; created_by: string; error: string; created_at: string; started_at?: string | null | undefined; ended_at?: string | null | undefined; deleted_at?: string | null | undefined; params: { [name: string]: string }; tags: { [name: string]: string }; metrics: { [name: string]: number | null }; code?: unknown | undefined; inputs?: RunInput[] | null | undefined; environment?: unknown | undefined; resources?: Effort | null | undefined };
export type RunBatch = { params?: Record<string, unknown> | undefined; tags?: Record<string, unknown> | undefined; metrics?: Record<string, unknown>[] | undefined; slice?: Record<string, unknown> | undefined };
export type RunChange = { name?: string | undefined; note?: string | undefined; tags?: Record<string, unknown> | undefined };
export type RunEnd = { status?: "finished" | "failed" | "killed" | undefined; error?: string | undefined; resources?: Record<string, unknown> | undefined; ended_at?: string | undefined };
export type RunInput = { kind: string; id: string; name: string; digest: string };
export type RunList = { items: Run[]; next_page_token?: string | null | undefined };
export type RunningLap = { stage: string; version?: number | null | undefined; text: string; since?: string | null | undefined };
export type SecretList = Record<string, unknown>;
export type Space = Record<string, unknown>;
export type Status = { version: string; pid: number; url: string; kind: string; data_directory: string };
export type SuggestRequest = { dataset: string; target?: string | undefined; for?: "trees" | "linear" | undefined; exclude?: string[] | undefined };
export type SuggestedRecipe = Record<string, unknown>;
export type TokenList = Record<string, unknown>;
export type Traffic = { shares: Record<string, unknown>; reason?: string | undefined };
export type TrainPlan = Record<string, unknown>;
export type TrainRequest = { dataset: string; target?: string | undefined; model?: string | undefined; experiment?: string | undefined; metric?: string | undefined; task?: string | undefined; positive?: string | undefined; budget_seconds?: number | undefined; trials?: number | undefined; seed?: number | undefined; split?: "auto" | "random" | undefined; time_column?: string | undefined; group_column?: string | undefined; keep_leaks?: boolean | undefined; test_share?: number | undefined; gate?: "default" | "kpi" | "judge" | "none" | undefined; against?: string | undefined; recipe?: unknown | undefined };
export type TrashItem = Record<string, unknown>;
export type TrashList = Record<string, unknown>;
export type TrashPurged = Record<string, unknown>;
export type Trigger = Record<string, unknown>;
export type TriggerList = Record<string, unknown>;
export type UsageReport = Record<string, unknown>;
export type User = Record<string, unknown>;
export type UserChange = { password?: string | undefined; disabled?: boolean | undefined };
export type UserList = Record<string, unknown>;
export type ValueCount = { value: unknown; count: number };
export type Variant = { model?: string | undefined; share?: number | undefined; shadow?: boolean | undefined; replace?: boolean | undefined; reason?: string | undefined };
export type Window = { id: string; number: number; begin: string; end: string; state: string; rows: number; labelled: number; model: string; columns: DriftedColumn[]; performance: WindowPerformance[] };
export type WindowList = { items: Window[]; next_page_token?: string | null | undefined };
export type WindowPerformance = { model: string; rows: number; primary: string; metrics: { [name: string]: Estimate } };

export interface Routes {
  /** Remove a budget; what was spent stays in the books */
  "DELETE /api/v1/budgets/{budget}": { input: { path: { budget: string } }; answer: unknown; permission: "usage.admin" };
  /** Remove a run that has ended, with what its steps made, into the trash */
  "DELETE /api/v1/pipeline_runs/{run}": { input: { path: { run: string }; query?: { force?: boolean | undefined; dry_run?: boolean | undefined } }; answer: TrashItem; permission: "pipeline.run" };
  /** Remove a project with all that it holds, into the trash */
  "DELETE /api/v1/projects/{project}": { input: { path: { project: string }; query?: { force?: boolean | undefined; dry_run?: boolean | undefined } }; answer: TrashItem; permission: "access.admin" };
  /** Removes a channel, into the trash; what waits for it is dead then */
  "DELETE /api/v1/projects/{project}/channels/{channel}": { input: { path: { project: string; channel: string }; query?: { force?: boolean | undefined; dry_run?: boolean | undefined } }; answer: TrashItem; permission: "channel.write" };
  /** Remove a dataset with all its versions, into the trash */
  "DELETE /api/v1/projects/{project}/datasets/{dataset}": { input: { path: { project: string; dataset: string }; query?: { force?: boolean | undefined; dry_run?: boolean | undefined } }; answer: TrashItem; permission: "dataset.write" };
  /** Remove one version, into the trash */
  "DELETE /api/v1/projects/{project}/datasets/{dataset}/versions/{version}": { input: { path: { project: string; dataset: string; version: string }; query?: { force?: boolean | undefined; dry_run?: boolean | undefined } }; answer: TrashItem; permission: "dataset.write" };
  /** Forget that a file has declared it; the thing itself stays. A source or a recipe goes into the trash */
  "DELETE /api/v1/projects/{project}/declarations/{kind}/{name}": { input: { path: { project: string; kind: string; name: string }; query?: { force?: boolean | undefined; dry_run?: boolean | undefined } }; answer: unknown; permission: "project.write" };
  /** Remove an endpoint and its deployments, into the trash */
  "DELETE /api/v1/projects/{project}/endpoints/{endpoint}": { input: { path: { project: string; endpoint: string }; query?: { force?: boolean | undefined; dry_run?: boolean | undefined } }; answer: TrashItem; permission: "endpoint.deploy" };
  /** Take a variant away; the champion has its share */
  "DELETE /api/v1/projects/{project}/endpoints/{endpoint}/variants/{variant}": { input: { path: { project: string; endpoint: string; variant: string } }; answer: Endpoint; permission: "endpoint.deploy" };
  /** Delete an experiment with its runs; both can be restored */
  "DELETE /api/v1/projects/{project}/experiments/{experiment}": { input: { path: { project: string; experiment: string } }; answer: Experiment; permission: "run.write" };
  /** Remove a model that no alias and no endpoint uses, into the trash */
  "DELETE /api/v1/projects/{project}/models/{model}": { input: { path: { project: string; model: string }; query?: { aliases?: boolean | undefined; force?: boolean | undefined; dry_run?: boolean | undefined } }; answer: TrashItem; permission: "model.write" };
  /** Take an alias away; the history stays */
  "DELETE /api/v1/projects/{project}/models/{model}/aliases/{alias}": { input: { path: { project: string; model: string; alias: string }; query?: { reason?: string | undefined } }; answer: unknown; permission: "model.approve" };
  /** Remove a version that no alias and no endpoint uses, into the trash; its number is never given again */
  "DELETE /api/v1/projects/{project}/models/{model}/versions/{version}": { input: { path: { project: string; model: string; version: string }; query?: { force?: boolean | undefined; dry_run?: boolean | undefined } }; answer: TrashItem; permission: "model.write" };
  /** Remove a monitor with its windows and alerts, into the trash */
  "DELETE /api/v1/projects/{project}/monitors/{monitor}": { input: { path: { project: string; monitor: string }; query?: { force?: boolean | undefined; dry_run?: boolean | undefined } }; answer: TrashItem; permission: "model.write" };
  /** Remove a pipeline, or one version of it, into the trash; its runs stay */
  "DELETE /api/v1/projects/{project}/pipelines/{pipeline}": { input: { path: { project: string; pipeline: string }; query?: { force?: boolean | undefined; dry_run?: boolean | undefined } }; answer: TrashItem; permission: "pipeline.write" };
  /** Remove a run with its metrics and artifacts, into the trash */
  "DELETE /api/v1/projects/{project}/runs/{run}": { input: { path: { project: string; run: string }; query?: { force?: boolean | undefined; dry_run?: boolean | undefined } }; answer: TrashItem; permission: "run.write" };
  /** Removes a secret, into the trash */
  "DELETE /api/v1/projects/{project}/secrets/{secret}": { input: { path: { project: string; secret: string }; query?: { force?: boolean | undefined; dry_run?: boolean | undefined } }; answer: TrashItem; permission: "secret.write" };
  /** Remove a trigger and its firings, into the trash; runs that it began go on */
  "DELETE /api/v1/projects/{project}/triggers/{trigger}": { input: { path: { project: string; trigger: string }; query?: { force?: boolean | undefined; dry_run?: boolean | undefined } }; answer: TrashItem; permission: "trigger.write" };
  /** End a token, by id or unique prefix */
  "DELETE /api/v1/tokens/{token}": { input: { path: { token: string } }; answer: unknown; permission: "self" };
  /** Remove a user with its roles and tokens, into the trash */
  "DELETE /api/v1/users/{user}": { input: { path: { user: string }; query?: { force?: boolean | undefined; dry_run?: boolean | undefined } }; answer: TrashItem; permission: "access.admin" };
  /** Take a role away */
  "DELETE /api/v1/users/{user}/roles/{role}": { input: { path: { user: string; role: string }; query?: { project?: string | undefined } }; answer: User; permission: "access.admin" };
  /** The audit log, newest first; by project, actor, action, object and time */
  "GET /api/v1/audit": { input: { query?: { project?: string | undefined; actor?: string | undefined; action?: string | undefined; object?: string | undefined; from?: string | undefined; to?: string | undefined; limit?: number | undefined; page_token?: string | undefined } }; answer: AuditList; permission: "audit.read" };
  /** Checks the chain of hashes, also against an anchor kept elsewhere */
  "GET /api/v1/audit/verify": { input: { query?: { sequence?: number | undefined; hash?: string | undefined } }; answer: AuditVerdict; permission: "audit.read" };
  /** Budgets, and how far each is spent */
  "GET /api/v1/budgets": { input: { query?: { project?: string | undefined } }; answer: BudgetList; permission: "usage.read" };
  /** A budget, and how far it is spent */
  "GET /api/v1/budgets/{budget}": { input: { path: { budget: string } }; answer: Budget; permission: "usage.read" };
  /** Settings in effect and where each came from */
  "GET /api/v1/config": { input: Record<string, never>; answer: unknown; permission: "config.read" };
  /** What happened, newest first; or after a sequence number, oldest first */
  "GET /api/v1/events": { input: { query?: { project?: string | undefined; kind?: string | undefined; after?: number | undefined; limit?: number | undefined; page_token?: string | undefined } }; answer: EventList; permission: "event.read" };
  /** Events that a subscriber could not handle */
  "GET /api/v1/events/parked": { input: Record<string, never>; answer: ParkedEventList; permission: "event.read" };
  /** Events as they happen (server-sent events); goes on after Last-Event-ID */
  "GET /api/v1/events/stream": { input: { query?: { project?: string | undefined; kind?: string | undefined; after?: number | undefined } }; answer: unknown; permission: "event.read" };
  /** List jobs, newest first; an input of more than 2 KiB is null here */
  "GET /api/v1/jobs": { input: { query?: { project?: string | undefined; state?: "queued" | "running" | "succeeded" | "failed" | "cancelled" | "interrupted" | undefined; limit?: number | undefined; page_token?: string | undefined } }; answer: JobList; permission: "job.read" };
  /** One job, by its id or the beginning of it */
  "GET /api/v1/jobs/{job}": { input: { path: { job: string } }; answer: Job; permission: "job.read" };
  /** Server-sent events: the job document at each change, until it ends */
  "GET /api/v1/jobs/{job}/events": { input: { path: { job: string } }; answer: unknown; permission: "job.read" };
  /** The log of a job as text, at most 1 MiB an answer */
  "GET /api/v1/jobs/{job}/log": { input: { path: { job: string }; query?: { offset?: number | undefined } }; answer: unknown; permission: "job.read" };
  /** How large a backup would be that is made now */
  "GET /api/v1/maintenance/backup": { input: Record<string, never>; answer: BackupSize; permission: "access.admin" };
  /** What is kept for how long, how much of it there is, the oldest of it, and when what is older goes */
  "GET /api/v1/maintenance/retention": { input: Record<string, never>; answer: RetentionList; permission: "access.admin" };
  /** Where the bytes of the data directory are; the parts add up to the whole */
  "GET /api/v1/maintenance/space": { input: Record<string, never>; answer: Space; permission: "access.admin" };
  /** Who is asking */
  "GET /api/v1/me": { input: Record<string, never>; answer: Me; permission: "self" };
  /** Alert rules for Prometheus, as YAML */
  "GET /api/v1/monitoring/rules": { input: Record<string, never>; answer: unknown; permission: "metrics.read" };
  /** This API as an OpenAPI 3.1 document */
  "GET /api/v1/openapi.json": { input: Record<string, never>; answer: unknown; permission: "public" };
  /** List runs of pipelines, newest first */
  "GET /api/v1/pipeline_runs": { input: { query?: { project?: string | undefined; pipeline?: string | undefined; state?: "running" | "succeeded" | "failed" | "cancelled" | undefined; limit?: number | undefined; page_token?: string | undefined } }; answer: PipelineRunList; permission: "pipeline.read" };
  /** One run with its steps and up to 1,000 tasks: state, reason, times, CPU, attempts */
  "GET /api/v1/pipeline_runs/{run}": { input: { path: { run: string }; query?: { tasks?: number | undefined; wait_ms?: number | undefined; layout?: boolean | undefined } }; answer: PipelineRunDetails; permission: "pipeline.read" };
  /** The items of a loop side by side: value, state, times, outputs; and which outputs differ */
  "GET /api/v1/pipeline_runs/{run}/comparison": { input: { path: { run: string }; query: { step: string; by?: string | undefined; ascending?: boolean | undefined; limit?: number | undefined } }; answer: PipelineComparison; permission: "pipeline.read" };
  /** Server-sent events: the run with its steps at each change, until it ends */
  "GET /api/v1/pipeline_runs/{run}/events": { input: { path: { run: string } }; answer: unknown; permission: "pipeline.read" };
  /** What a task has printed, as text, at most 1 MiB an answer; format=json says where to go on and whether more may come */
  "GET /api/v1/pipeline_runs/{run}/log": { input: { path: { run: string }; query: { step: string; attempt?: number | undefined; format?: "text" | "json" | undefined; offset?: number | undefined } }; answer: PipelineLogPart; permission: "pipeline.read" };
  /** List projects by name */
  "GET /api/v1/projects": { input: { query?: { limit?: number | undefined; page_token?: string | undefined } }; answer: ProjectList; permission: "project.read" };
  /** One project with the newest problem statement */
  "GET /api/v1/projects/{project}": { input: { path: { project: string } }; answer: Project; permission: "project.read" };
  /** Alerts that fire or are pending, the newest change first */
  "GET /api/v1/projects/{project}/alerts": { input: { path: { project: string }; query?: { endpoint?: string | undefined; monitor?: string | undefined; state?: "ok" | "pending" | "firing" | undefined; all?: boolean | undefined; limit?: number | undefined } }; answer: AlertList; permission: "endpoint.read" };
  /** One alert with its history; by id, or MONITOR:SIGNAL */
  "GET /api/v1/projects/{project}/alerts/{alert}": { input: { path: { project: string; alert: string } }; answer: unknown; permission: "endpoint.read" };
  /** What was captured, by endpoint */
  "GET /api/v1/projects/{project}/captures": { input: { path: { project: string }; query?: { labels?: boolean | undefined } }; answer: CaptureList; permission: "endpoint.read" };
  /** The channels that a project's notices go to, and how they do */
  "GET /api/v1/projects/{project}/channels": { input: { path: { project: string } }; answer: ChannelList; permission: "notice.read" };
  /** A channel */
  "GET /api/v1/projects/{project}/channels/{channel}": { input: { path: { project: string; channel: string } }; answer: Channel; permission: "notice.read" };
  /** Metrics of several runs as charts show them, column by column */
  "GET /api/v1/projects/{project}/charts": { input: { path: { project: string }; query?: { run?: string[] | undefined; key?: string[] | undefined; points?: number | undefined; axis?: "step" | "time" | "elapsed" | undefined; from?: string | undefined; to?: string | undefined } }; answer: ChartList; permission: "run.read" };
  /** What such a job has found; kept for a day */
  "GET /api/v1/projects/{project}/comparisons/{job}": { input: { path: { project: string; job: string }; query?: { format?: "json" | "html" | undefined } }; answer: Comparison; permission: "query" };
  /** List datasets by name, each with its latest version */
  "GET /api/v1/projects/{project}/datasets": { input: { path: { project: string }; query?: { limit?: number | undefined; page_token?: string | undefined } }; answer: DatasetList; permission: "dataset.read" };
  /** One dataset with its latest version */
  "GET /api/v1/projects/{project}/datasets/{dataset}": { input: { path: { project: string; dataset: string } }; answer: Dataset; permission: "dataset.read" };
  /** What changed between two versions */
  "GET /api/v1/projects/{project}/datasets/{dataset}/diff": { input: { path: { project: string; dataset: string }; query?: { from?: string | undefined; to?: string | undefined } }; answer: DatasetDiff; permission: "dataset.read" };
  /** The suite in force: what was set, else what the first version suggests */
  "GET /api/v1/projects/{project}/datasets/{dataset}/expectations": { input: { path: { project: string; dataset: string } }; answer: ExpectationSuite; permission: "dataset.read" };
  /** List versions, newest first */
  "GET /api/v1/projects/{project}/datasets/{dataset}/versions": { input: { path: { project: string; dataset: string }; query?: { limit?: number | undefined; page_token?: string | undefined } }; answer: DatasetVersionList; permission: "dataset.read" };
  /** One version (v3 or latest) with its schema and parts */
  "GET /api/v1/projects/{project}/datasets/{dataset}/versions/{version}": { input: { path: { project: string; dataset: string; version: string } }; answer: DatasetVersion; permission: "dataset.read" };
  /** The version as one Parquet file; Range is honoured */
  "GET /api/v1/projects/{project}/datasets/{dataset}/versions/{version}/data.parquet": { input: { path: { project: string; dataset: string; version: string } }; answer: unknown; permission: "dataset.read" };
  /** The version as a file */
  "GET /api/v1/projects/{project}/datasets/{dataset}/versions/{version}/export": { input: { path: { project: string; dataset: string; version: string }; query?: { format?: "csv" | "jsonl" | "parquet" | undefined } }; answer: unknown; permission: "dataset.read" };
  /** Statistics and warnings of each column */
  "GET /api/v1/projects/{project}/datasets/{dataset}/versions/{version}/profile": { input: { path: { project: string; dataset: string; version: string }; query?: { target?: string | undefined } }; answer: DatasetProfile; permission: "dataset.read" };
  /** Rows that were set aside at import, with reasons */
  "GET /api/v1/projects/{project}/datasets/{dataset}/versions/{version}/quarantine": { input: { path: { project: string; dataset: string; version: string }; query?: { limit?: number | undefined } }; answer: QuarantineList; permission: "dataset.read" };
  /** Rows of a version */
  "GET /api/v1/projects/{project}/datasets/{dataset}/versions/{version}/rows": { input: { path: { project: string; dataset: string; version: string }; query?: { offset?: number | undefined; limit?: number | undefined } }; answer: QueryResult; permission: "dataset.read" };
  /** What a file has declared of the project and an apply brought about */
  "GET /api/v1/projects/{project}/declarations": { input: { path: { project: string }; query?: { kind?: string | undefined } }; answer: DeclarationList; permission: "project.read" };
  /** List endpoints by name */
  "GET /api/v1/projects/{project}/endpoints": { input: { path: { project: string }; query?: { limit?: number | undefined; page_token?: string | undefined } }; answer: EndpointList; permission: "endpoint.read" };
  /** One endpoint with its deployments, newest first, and its newest canary release */
  "GET /api/v1/projects/{project}/endpoints/{endpoint}": { input: { path: { project: string; endpoint: string } }; answer: Endpoint; permission: "endpoint.read" };
  /** How much of an endpoint's answers was captured, labelled and dropped */
  "GET /api/v1/projects/{project}/endpoints/{endpoint}/captures": { input: { path: { project: string; endpoint: string }; query?: { labels?: boolean | undefined } }; answer: Capture; permission: "endpoint.read" };
  /** Captured rows with their labels as a file */
  "GET /api/v1/projects/{project}/endpoints/{endpoint}/captures/export": { input: { path: { project: string; endpoint: string }; query?: { format?: "csv" | "jsonl" | "parquet" | undefined; from?: string | undefined; to?: string | undefined } }; answer: unknown; permission: "dataset.read" };
  /** What is captured and for how long */
  "GET /api/v1/projects/{project}/endpoints/{endpoint}/captures/policy": { input: { path: { project: string; endpoint: string } }; answer: CapturePolicy; permission: "endpoint.read" };
  /** Captured rows with their labels, the newest first */
  "GET /api/v1/projects/{project}/endpoints/{endpoint}/captures/rows": { input: { path: { project: string; endpoint: string }; query?: { limit?: number | undefined; from?: string | undefined; to?: string | undefined } }; answer: Rows; permission: "dataset.read" };
  /** What was done to it, newest first, and since the server started a few of the refused requests */
  "GET /api/v1/projects/{project}/endpoints/{endpoint}/logs": { input: { path: { project: string; endpoint: string }; query?: { limit?: number | undefined } }; answer: EndpointLog; permission: "endpoint.read" };
  /** Evaluations, newest first */
  "GET /api/v1/projects/{project}/evaluations": { input: { path: { project: string }; query?: { model_version?: string | undefined; limit?: number | undefined } }; answer: unknown; permission: "model.read" };
  /** One evaluation with its curves, slices and importance */
  "GET /api/v1/projects/{project}/evaluations/{evaluation}": { input: { path: { project: string; evaluation: string } }; answer: unknown; permission: "model.read" };
  /** List experiments, newest first, by a filter, or one folder of them */
  "GET /api/v1/projects/{project}/experiments": { input: { path: { project: string }; query?: { folder?: string | undefined; title?: string | undefined; filter?: string | undefined; sort?: string[] | undefined; view?: "active" | "deleted" | "all" | undefined; limit?: number | undefined; page_token?: string | undefined } }; answer: ExperimentList; permission: "run.read" };
  /** One experiment, by number, name, or title without slashes */
  "GET /api/v1/projects/{project}/experiments/{experiment}": { input: { path: { project: string; experiment: string } }; answer: Experiment; permission: "run.read" };
  /** What triggers have heard and done, newest first */
  "GET /api/v1/projects/{project}/firings": { input: { path: { project: string }; query?: { trigger?: string | undefined; state?: "open" | "waiting" | "approval" | "starting" | "running" | "succeeded" | "failed" | "skipped" | "expired" | undefined; limit?: number | undefined; page_token?: string | undefined } }; answer: FiringList; permission: "trigger.read" };
  /** One firing, by its id or the beginning of it, with the canary release of its run */
  "GET /api/v1/projects/{project}/firings/{firing}": { input: { path: { project: string; firing: string } }; answer: Firing; permission: "trigger.read" };
  /** Each KPI of the problem as it was measured last: met, missed, or unknown with the reason; its value, since when, and its trend */
  "GET /api/v1/projects/{project}/kpis": { input: { path: { project: string } }; answer: KpiStateList; permission: "project.read" };
  /** What one KPI was, newest first: a row for each change */
  "GET /api/v1/projects/{project}/kpis/history": { input: { path: { project: string }; query: { kpi: string; limit?: number | undefined } }; answer: unknown; permission: "project.read" };
  /** Upstream, downstream or both of an id or label (churn:v1, model:churn:v1, churn@champion), to a depth; `others` share the label. prediction:ID is an answer by its inference id: `prediction` has its deployment, model, gate, run, code, data and source, and what is not known */
  "GET /api/v1/projects/{project}/lineage": { input: { path: { project: string }; query: { id: string; direction?: "up" | "down" | "both" | undefined; depth?: number | undefined; layout?: boolean | undefined } }; answer: Lineage; permission: "lineage.read" };
  /** The same of a logged model */
  "GET /api/v1/projects/{project}/logged-models/{model}/inspection": { input: { path: { project: string; model: string } }; answer: unknown; permission: "run.read" };
  /** The loop at a glance: its eight stages, the laps that went around them, what goes on now, the goals, and how mature the project is */
  "GET /api/v1/projects/{project}/loop": { input: { path: { project: string }; query?: { model?: string | undefined } }; answer: Loop; permission: "project.read" };
  /** Google's levels 0 to 2 and Azure's 0 to 4, row by row: what shows that it is so, or the act that is missing */
  "GET /api/v1/projects/{project}/maturity": { input: { path: { project: string }; query?: { model?: string | undefined } }; answer: Maturity; permission: "project.read" };
  /** List registered models by name */
  "GET /api/v1/projects/{project}/models": { input: { path: { project: string }; query?: { limit?: number | undefined; page_token?: string | undefined } }; answer: ModelList; permission: "model.read" };
  /** One model with its aliases */
  "GET /api/v1/projects/{project}/models/{model}": { input: { path: { project: string; model: string } }; answer: Model; permission: "model.read" };
  /** Moves of aliases, newest first; with a time, who held the alias then */
  "GET /api/v1/projects/{project}/models/{model}/history": { input: { path: { project: string; model: string }; query?: { alias?: string | undefined; at?: string | undefined; limit?: number | undefined } }; answer: AliasHistory; permission: "model.read" };
  /** What an alias asks for: the rules of its gate, approvals */
  "GET /api/v1/projects/{project}/models/{model}/policies/{alias}": { input: { path: { project: string; model: string; alias: string } }; answer: unknown; permission: "model.read" };
  /** Versions of a model, newest first */
  "GET /api/v1/projects/{project}/models/{model}/versions": { input: { path: { project: string; model: string } }; answer: ModelVersionList; permission: "model.read" };
  /** One version: v3, latest, or an alias; with its lineage, verdict and goals */
  "GET /api/v1/projects/{project}/models/{model}/versions/{version}": { input: { path: { project: string; model: string; version: string } }; answer: ModelVersion; permission: "model.read" };
  /** Who approved or rejected a version, oldest first */
  "GET /api/v1/projects/{project}/models/{model}/versions/{version}/approvals": { input: { path: { project: string; model: string; version: string } }; answer: unknown; permission: "model.read" };
  /** The model card */
  "GET /api/v1/projects/{project}/models/{model}/versions/{version}/card": { input: { path: { project: string; model: string; version: string }; query?: { format?: "json" | "markdown" | undefined } }; answer: unknown; permission: "model.read" };
  /** The newest evaluation of a version, with its curves */
  "GET /api/v1/projects/{project}/models/{model}/versions/{version}/evaluation": { input: { path: { project: string; model: string; version: string } }; answer: ModelEvaluation; permission: "model.read" };
  /** What the files of a version are, and whether loading them runs somebody's code */
  "GET /api/v1/projects/{project}/models/{model}/versions/{version}/inspection": { input: { path: { project: string; model: string; version: string } }; answer: unknown; permission: "model.read" };
  /** The fitted recipe of a model version: steps, inputs, names of the outputs */
  "GET /api/v1/projects/{project}/models/{model}/versions/{version}/recipe": { input: { path: { project: string; model: string; version: string } }; answer: ModelRecipe; permission: "recipe.read" };
  /** Bins of the rows that taught a version and of its predictions, to compare later data with */
  "GET /api/v1/projects/{project}/models/{model}/versions/{version}/reference": { input: { path: { project: string; model: string; version: string } }; answer: unknown; permission: "dataset.read" };
  /** Monitors by name; each endpoint has one */
  "GET /api/v1/projects/{project}/monitors": { input: { path: { project: string }; query?: { limit?: number | undefined } }; answer: MonitorList; permission: "endpoint.read" };
  /** One monitor with its newest windows and its alerts */
  "GET /api/v1/projects/{project}/monitors/{monitor}": { input: { path: { project: string; monitor: string } }; answer: unknown; permission: "endpoint.read" };
  /** Judged windows, newest first */
  "GET /api/v1/projects/{project}/monitors/{monitor}/windows": { input: { path: { project: string; monitor: string }; query?: { limit?: number | undefined; page_token?: string | undefined } }; answer: WindowList; permission: "endpoint.read" };
  /** What a project's channels were told, newest first */
  "GET /api/v1/projects/{project}/notices": { input: { path: { project: string }; query?: { state?: "waiting" | "delivered" | "dead" | "unsent" | undefined; limit?: number | undefined; page_token?: string | undefined } }; answer: NoticeList; permission: "notice.read" };
  /** A notice with its deliveries, by its id or the beginning of that */
  "GET /api/v1/projects/{project}/notices/{notice}": { input: { path: { project: string; notice: string } }; answer: Notice; permission: "notice.read" };
  /** The newest version of each pipeline and component, by name */
  "GET /api/v1/projects/{project}/pipelines": { input: { path: { project: string }; query?: { limit?: number | undefined; page_token?: string | undefined } }; answer: PipelineList; permission: "pipeline.read" };
  /** One version, NAME or NAME:v2: its source, its checked graph, all versions */
  "GET /api/v1/projects/{project}/pipelines/{pipeline}": { input: { path: { project: string; pipeline: string }; query?: { layout?: boolean | undefined } }; answer: Pipeline; permission: "pipeline.read" };
  /** What a run of it will use and cost, by its runs so far */
  "GET /api/v1/projects/{project}/pipelines/{pipeline}/expected": { input: { path: { project: string; pipeline: string } }; answer: Expected; permission: "usage.read" };
  /** The file that such a job has made; kept for a day */
  "GET /api/v1/projects/{project}/predict/{job}": { input: { path: { project: string; job: string } }; answer: unknown; permission: "predict" };
  /** The newest problem statement */
  "GET /api/v1/projects/{project}/problem": { input: { path: { project: string } }; answer: ProblemStatement; permission: "project.read" };
  /** Every version of the problem statement, newest first */
  "GET /api/v1/projects/{project}/problem/history": { input: { path: { project: string } }; answer: ProblemStatementList; permission: "project.read" };
  /** The answer of such a job; kept for a day */
  "GET /api/v1/projects/{project}/query/{job}": { input: { path: { project: string; job: string } }; answer: QueryResult; permission: "query" };
  /** What happens to runs (server-sent events); goes on after Last-Event-ID */
  "GET /api/v1/projects/{project}/run-events": { input: { path: { project: string }; query?: { run?: string[] | undefined; experiment?: string[] | undefined; stream?: string | undefined; after?: number | undefined } }; answer: unknown; permission: "run.read" };
  /** List runs, newest first, by a metric, or what a filter finds */
  "GET /api/v1/projects/{project}/runs": { input: { path: { project: string }; query?: { experiment?: string[] | undefined; folder?: string | undefined; kind?: string | undefined; status?: "scheduled" | "running" | "finished" | "failed" | "killed" | undefined; job?: string | undefined; parent?: string | undefined; tag?: string[] | undefined; filter?: string | undefined; sort?: string[] | undefined; columns?: string[] | undefined; view?: "active" | "deleted" | "all" | undefined; order_by?: string | undefined; ascending?: boolean | undefined; limit?: number | undefined; page_token?: string | undefined } }; answer: RunList; permission: "run.read" };
  /** One run, by id, beginning of an id, name, or - for the newest */
  "GET /api/v1/projects/{project}/runs/{run}": { input: { path: { project: string; run: string } }; answer: Run; permission: "run.read" };
  /** List the artifacts of a run */
  "GET /api/v1/projects/{project}/runs/{run}/artifacts": { input: { path: { project: string; run: string }; query?: { prefix?: string | undefined } }; answer: ArtifactList; permission: "run.read" };
  /** The bytes of an artifact */
  "GET /api/v1/projects/{project}/runs/{run}/artifacts/{path*}": { input: { path: { project: string; run: string; path: string } }; answer: unknown; permission: "run.read" };
  /** The same of the files of a run */
  "GET /api/v1/projects/{project}/runs/{run}/inspection": { input: { path: { project: string; run: string }; query?: { path?: string | undefined } }; answer: unknown; permission: "run.read" };
  /** What the program printed, or the log of the job */
  "GET /api/v1/projects/{project}/runs/{run}/log": { input: { path: { project: string; run: string }; query?: { offset?: number | undefined } }; answer: unknown; permission: "run.read" };
  /** The points of a metric by step; its name may hold slashes */
  "GET /api/v1/projects/{project}/runs/{run}/metrics/{key*}": { input: { path: { project: string; run: string; key: string }; query?: { limit?: number | undefined; points?: number | undefined; axis?: "step" | "time" | "elapsed" | undefined; from?: string | undefined; to?: string | undefined } }; answer: MetricHistory; permission: "run.read" };
  /** Names of the project's secrets; never their values */
  "GET /api/v1/projects/{project}/secrets": { input: { path: { project: string } }; answer: SecretList; permission: "secret.write" };
  /** What the newest window of each monitor says */
  "GET /api/v1/projects/{project}/signals": { input: { path: { project: string }; query?: { endpoint?: string | undefined } }; answer: unknown; permission: "endpoint.read" };
  /** List triggers by name */
  "GET /api/v1/projects/{project}/triggers": { input: { path: { project: string } }; answer: TriggerList; permission: "trigger.read" };
  /** One trigger */
  "GET /api/v1/projects/{project}/triggers/{trigger}": { input: { path: { project: string; trigger: string } }; answer: Trigger; permission: "trigger.read" };
  /** What would happen if it fired now, and what a run costs; changes nothing */
  "GET /api/v1/projects/{project}/triggers/{trigger}/check": { input: { path: { project: string; trigger: string } }; answer: unknown; permission: "trigger.read" };
  /** One window with every column, and how it was before late rows and labels came */
  "GET /api/v1/projects/{project}/windows/{window}": { input: { path: { project: string; window: string } }; answer: unknown; permission: "endpoint.read" };
  /** What each role may */
  "GET /api/v1/roles": { input: Record<string, never>; answer: RoleList; permission: "self" };
  /** Version, process, data directory, addresses */
  "GET /api/v1/status": { input: Record<string, never>; answer: Status; permission: "config.read" };
  /** One's own tokens; an administrator sees all */
  "GET /api/v1/tokens": { input: { query?: { limit?: number | undefined; page_token?: string | undefined } }; answer: TokenList; permission: "self" };
  /** What was removed and can be put back, newest first */
  "GET /api/v1/trash": { input: { query?: { project?: string | undefined; noun?: string | undefined; name?: string | undefined; limit?: number | undefined; page_token?: string | undefined } }; answer: TrashList; permission: "project.read" };
  /** CPU, memory, bytes, requests and cost by subject or project, over a time */
  "GET /api/v1/usage": { input: { query?: { project?: string | undefined; kind?: string | undefined; id?: string | undefined; run?: string | undefined; endpoint?: string | undefined; user?: string | undefined; from?: string | undefined; to?: string | undefined; group?: "subject" | "project" | "day" | "user" | "run" | "step" | "endpoint" | "dataset" | "kind" | undefined } }; answer: UsageReport; permission: "usage.read" };
  /** Every charge as FOCUS 1.0, in CSV: per day, subject, user and meter */
  "GET /api/v1/usage/focus": { input: { query?: { project?: string | undefined; from?: string | undefined; to?: string | undefined } }; answer: unknown; permission: "usage.read" };
  /** Where each project's month will end, by the days so far */
  "GET /api/v1/usage/forecast": { input: { query?: { project?: string | undefined } }; answer: ForecastList; permission: "usage.read" };
  /** The price books, oldest first */
  "GET /api/v1/usage/prices": { input: Record<string, never>; answer: PriceBookList; permission: "usage.read" };
  /** List users by name */
  "GET /api/v1/users": { input: { query?: { limit?: number | undefined; page_token?: string | undefined } }; answer: UserList; permission: "access.admin" };
  /** One user with its roles */
  "GET /api/v1/users/{user}": { input: { path: { user: string } }; answer: User; permission: "access.admin" };
  /** What an endpoint takes: its model, columns and classes */
  "GET /e/{endpoint}": { input: { path: { endpoint: string } }; answer: PredictSignature; permission: "predict" };
  /** The process answers */
  "GET /healthz": { input: Record<string, never>; answer: unknown; permission: "public" };
  /** Everything that should run is loaded */
  "GET /readyz": { input: Record<string, never>; answer: unknown; permission: "public" };
  /** Another limit, other thresholds; what is not given stays */
  "PATCH /api/v1/budgets/{budget}": { input: { path: { budget: string }; body: { limit?: number | undefined; warn_percent?: number | undefined; stop?: boolean | undefined; stop_running?: boolean | undefined } }; answer: Budget; permission: "usage.admin" };
  /** Change parts of the problem statement */
  "PATCH /api/v1/projects/{project}": { input: { path: { project: string }; body: ProblemChange }; answer: ProblemStatement; permission: "project.write" };
  /** How callers are kept on a variant, and when the endpoint is parked */
  "PATCH /api/v1/projects/{project}/endpoints/{endpoint}": { input: { path: { project: string; endpoint: string }; body: EndpointChange }; answer: Endpoint; permission: "endpoint.deploy" };
  /** Change what is captured from now on */
  "PATCH /api/v1/projects/{project}/endpoints/{endpoint}/captures/policy": { input: { path: { project: string; endpoint: string }; body: CapturePolicyChange }; answer: CapturePolicy; permission: "endpoint.deploy" };
  /** Change the title, the note or tags of an experiment */
  "PATCH /api/v1/projects/{project}/experiments/{experiment}": { input: { path: { project: string; experiment: string }; body: ExperimentChange }; answer: Experiment; permission: "run.write" };
  /** Describe, tag or rename a model; the name it had goes on finding it */
  "PATCH /api/v1/projects/{project}/models/{model}": { input: { path: { project: string; model: string }; body: { title?: string | undefined; description?: string | undefined; tags?: Record<string, unknown> | undefined } }; answer: Model; permission: "model.write" };
  /** Describe or tag a version, or move its stage */
  "PATCH /api/v1/projects/{project}/models/{model}/versions/{version}": { input: { path: { project: string; model: string; version: string }; body: { description?: string | undefined; tags?: Record<string, unknown> | undefined; stage?: "none" | "staging" | "production" | "archived" | undefined; archive_others?: boolean | undefined } }; answer: ModelVersion; permission: "model.write" };
  /** Change a monitor; what was judged stays */
  "PATCH /api/v1/projects/{project}/monitors/{monitor}": { input: { path: { project: string; monitor: string }; body: { enabled?: boolean | undefined; window?: Record<string, unknown> | undefined; alert?: Record<string, unknown> | undefined; against?: "training" | "previous" | undefined; effect_min?: number | undefined; method?: string | undefined; threshold?: number | undefined; methods?: Record<string, unknown> | undefined; thresholds?: Record<string, unknown> | undefined; coverage_min?: number | undefined; label_wait?: number | undefined; ignore?: string[] | undefined; quiet?: string[] | undefined } }; answer: unknown; permission: "model.write" };
  /** Change the name, the note or tags of a run */
  "PATCH /api/v1/projects/{project}/runs/{run}": { input: { path: { project: string; run: string }; body: RunChange }; answer: Run; permission: "run.write" };
  /** Set a password, disable or enable */
  "PATCH /api/v1/users/{user}": { input: { path: { user: string }; body: UserChange }; answer: User; permission: "access.admin" };
  /** Limit what may be spent in a period */
  "POST /api/v1/budgets": { input: { body: Budget }; answer: Budget; permission: "usage.admin" };
  /** Give a parked event to its subscriber once more */
  "POST /api/v1/events/parked/{subscriber}/{sequence}/retry": { input: { path: { subscriber: string; sequence: string } }; answer: unknown; permission: "access.admin" };
  /** Ask a job to stop; nothing happens when it has ended */
  "POST /api/v1/jobs/{job}/cancel": { input: { path: { job: string } }; answer: Job; permission: "job.write" };
  /** Exchange name and password for a session */
  "POST /api/v1/login": { input: { body: NewLogin }; answer: IssuedToken; permission: "public" };
  /** End the token that is used */
  "POST /api/v1/logout": { input: Record<string, never>; answer: unknown; permission: "self" };
  /** Copies everything as of this moment, as one stream of bytes */
  "POST /api/v1/maintenance/backup": { input: { query?: { keys?: number | undefined } }; answer: unknown; permission: "access.admin" };
  /** Puts back the bytes of a blob that is needed, and missing or damaged */
  "POST /api/v1/maintenance/blobs/{digest}": { input: { path: { digest: string }; body: Blob }; answer: RestoredBlob; permission: "access.admin" };
  /** Starts a job that checks the database and every byte of every blob */
  "POST /api/v1/maintenance/fsck": { input: { query?: { quick?: number | undefined } }; answer: Job; permission: "access.admin" };
  /** Ends what was in the trash for long enough; removes blobs that nothing refers to, when they are old enough */
  "POST /api/v1/maintenance/gc": { input: { query?: { grace_hours?: number | undefined } }; answer: CollectResult; permission: "access.admin" };
  /** Starts a job that checks everything and makes anew what follows from the rest */
  "POST /api/v1/maintenance/repair": { input: { query?: { quick?: number | undefined } }; answer: Job; permission: "access.admin" };
  /** Change one's own password; ends all sessions */
  "POST /api/v1/me/password": { input: { body: PasswordChange }; answer: unknown; permission: "self" };
  /** Agree that a run goes on behind a step of kind `approve`, or say no */
  "POST /api/v1/pipeline_runs/{run}/approvals": { input: { path: { run: string }; body: PipelineApproval }; answer: Approval; permission: "model.approve" };
  /** Stop a run: what runs is ended, exit handlers run; nothing happens when it has ended */
  "POST /api/v1/pipeline_runs/{run}/cancel": { input: { path: { run: string } }; answer: PipelineRun; permission: "pipeline.run" };
  /** Go on with a run that has ended: from what did not succeed, or from a step */
  "POST /api/v1/pipeline_runs/{run}/retry": { input: { path: { run: string }; body: RetryPipelineRun }; answer: PipelineRun; permission: "pipeline.run" };
  /** Create a project, optionally with its problem statement */
  "POST /api/v1/projects": { input: { body: NewProject }; answer: Project; permission: "project.write" };
  /** Take note of a firing alert: it is not told again until it has ended */
  "POST /api/v1/projects/{project}/alerts/{alert}/ack": { input: { path: { project: string; alert: string } }; answer: unknown; permission: "model.write" };
  /** Tell nobody of an alert for some time */
  "POST /api/v1/projects/{project}/alerts/{alert}/snooze": { input: { path: { project: string; alert: string }; body: { seconds: number } }; answer: unknown; permission: "model.write" };
  /** Remove one person's captured rows and labels, at once and for good */
  "POST /api/v1/projects/{project}/captures/forget": { input: { path: { project: string }; body: { key?: string | undefined; id?: string | undefined; endpoint?: string | undefined } }; answer: Forgotten; permission: "access.admin" };
  /** Adds a channel: a webhook or a mail server; credentials only as secret:NAME */
  "POST /api/v1/projects/{project}/channels": { input: { path: { project: string }; body: NewChannel }; answer: Channel; permission: "channel.write" };
  /** Sends a message at once and says what the receiver answered */
  "POST /api/v1/projects/{project}/channels/{channel}/test": { input: { path: { project: string; channel: string } }; answer: ChannelTrial; permission: "channel.write" };
  /** Compare two models on the same rows, and what the gate would say; no alias moves by it */
  "POST /api/v1/projects/{project}/compare": { input: { path: { project: string }; body: { model: string; against: string; dataset?: string | undefined; alias?: string | undefined; rules?: Record<string, unknown>[] | undefined; options?: Record<string, unknown> | undefined; facts?: Record<string, unknown> | undefined; primary?: string | undefined } }; answer: Job; permission: "model.write" };
  /** Start a job that compares two tables column by column; the body is the one that the query does not name */
  "POST /api/v1/projects/{project}/comparisons": { input: { path: { project: string }; query?: { reference?: string | undefined; current?: string | undefined; reference_file?: string | undefined; current_file?: string | undefined; filename?: string | undefined; format?: "csv" | "tsv" | "json" | "jsonl" | "ndjson" | "parquet" | undefined; method?: string | undefined; threshold?: number | undefined; column?: string[] | undefined }; body: Blob }; answer: Job; permission: "query" };
  /** Import a file, the body, as a new version */
  "POST /api/v1/projects/{project}/datasets/{dataset}/versions": { input: { path: { project: string; dataset: string }; query?: { filename?: string | undefined; format?: "csv" | "tsv" | "json" | "jsonl" | "ndjson" | "parquet" | "tar" | undefined; bad?: "error" | "null" | "quarantine" | undefined; columns?: "same" | "any" | undefined; type?: string[] | undefined; tag?: string[] | undefined; target?: string | undefined; made_from?: string[] | undefined }; body: Blob }; answer: Job; permission: "dataset.write" };
  /** Check a version against the dataset's expectations */
  "POST /api/v1/projects/{project}/datasets/{dataset}/versions/{version}/check": { input: { path: { project: string; dataset: string; version: string } }; answer: Job; permission: "dataset.read" };
  /** Whether a problem's goals and a trigger's times can be read; changes nothing, and the project need not be there */
  "POST /api/v1/projects/{project}/declarations/check": { input: { path: { project: string }; body: { kind: string; name?: string | undefined; spec: Record<string, unknown> } }; answer: unknown; permission: "project.read" };
  /** Start a job that makes a dataset version of inputs and labels */
  "POST /api/v1/projects/{project}/endpoints/{endpoint}/captures/dataset": { input: { path: { project: string; endpoint: string }; body: CaptureDataset }; answer: Job; permission: "dataset.write" };
  /** Labels of answers: {"rows": [...]}, or a row a line as application/x-ndjson */
  "POST /api/v1/projects/{project}/endpoints/{endpoint}/feedback": { input: { path: { project: string; endpoint: string }; body: Blob }; answer: FeedbackTaken; permission: "predict" };
  /** Start a job that takes the labels of a file */
  "POST /api/v1/projects/{project}/endpoints/{endpoint}/feedback/file": { input: { path: { project: string; endpoint: string }; query?: { filename?: string | undefined; format?: "csv" | "tsv" | "json" | "jsonl" | "ndjson" | "parquet" | undefined }; body: Blob }; answer: Job; permission: "predict" };
  /** Back to an earlier deployment */
  "POST /api/v1/projects/{project}/endpoints/{endpoint}/rollback": { input: { path: { project: string; endpoint: string }; body: Rollback }; answer: Endpoint; permission: "endpoint.deploy" };
  /** Make what a variant runs the endpoint's champion */
  "POST /api/v1/projects/{project}/endpoints/{endpoint}/variants/{variant}/promote": { input: { path: { project: string; endpoint: string; variant: string }; body: PromoteVariant }; answer: Endpoint; permission: "endpoint.deploy" };
  /** Evaluate a model on a dataset, or on the rows that its training held out; the gate's verdict is recorded */
  "POST /api/v1/projects/{project}/evaluate": { input: { path: { project: string }; body: { model: string; dataset?: string | undefined; alias?: string | undefined; rules?: Record<string, unknown>[] | undefined; options?: Record<string, unknown> | undefined; facts?: Record<string, unknown> | undefined; primary?: string | undefined } }; answer: Job; permission: "model.write" };
  /** Move a folder of experiments, all of it in one transaction */
  "POST /api/v1/projects/{project}/experiment-folders/move": { input: { path: { project: string }; body: { folder: string; to: string } }; answer: unknown; permission: "run.write" };
  /** Make an experiment */
  "POST /api/v1/projects/{project}/experiments": { input: { path: { project: string }; body: NewExperiment }; answer: Experiment; permission: "run.write" };
  /** Bring a deleted experiment back with its runs */
  "POST /api/v1/projects/{project}/experiments/{experiment}/restore": { input: { path: { project: string; experiment: string } }; answer: Experiment; permission: "run.write" };
  /** Agree that a firing may start its run, or say no */
  "POST /api/v1/projects/{project}/firings/{firing}/approval": { input: { path: { project: string; firing: string }; body: { approved?: boolean | undefined; comment?: string | undefined } }; answer: Firing; permission: "model.approve" };
  /** Bring an experiment that was made elsewhere, or answer the one of this title */
  "POST /api/v1/projects/{project}/history/experiments": { input: { path: { project: string }; body: { title: string; number?: number | undefined; created_at?: string | undefined; tags?: Record<string, unknown> | undefined } }; answer: unknown; permission: "run.write" };
  /** Bring a logged model that was made elsewhere, or complete the one of this id */
  "POST /api/v1/projects/{project}/history/logged-models": { input: { path: { project: string }; body: { id: string; experiment: number; name?: string | undefined; run?: string | undefined; model_type?: string | undefined; status?: "pending" | "ready" | "failed" | undefined; created_at?: string | undefined; deleted?: boolean | undefined; params?: Record<string, unknown> | undefined; tags?: Record<string, unknown> | undefined } }; answer: unknown; permission: "run.write" };
  /** Bring a file of a logged model */
  "POST /api/v1/projects/{project}/history/logged-models/{model}/files/{path*}": { input: { path: { project: string; model: string; path: string }; body: Blob }; answer: unknown; permission: "run.write" };
  /** Bring what was measured of a logged model; the same point twice is one */
  "POST /api/v1/projects/{project}/history/logged-models/{model}/metrics": { input: { path: { project: string; model: string }; body: { metrics: Record<string, unknown>[] } }; answer: unknown; permission: "run.write" };
  /** Bring a version of a model that was made elsewhere, or answer the one of this number */
  "POST /api/v1/projects/{project}/history/model-versions": { input: { path: { project: string }; body: { title: string; number: number; source: string; run?: string | undefined; run_link?: string | undefined; description?: string | undefined; created_at?: string | undefined; created_by?: string | undefined; flavors?: string[] | undefined; tags?: Record<string, unknown> | undefined } }; answer: ModelVersion; permission: "model.write" };
  /** Measure them now; answers as the list does */
  "POST /api/v1/projects/{project}/kpis/measure": { input: { path: { project: string } }; answer: unknown; permission: "project.read" };
  /** Make a model that has no version yet */
  "POST /api/v1/projects/{project}/models": { input: { path: { project: string }; body: { title: string; description?: string | undefined; tags?: Record<string, unknown> | undefined } }; answer: Model; permission: "model.write" };
  /** Start a job that says what each column adds to the answers for a file's rows */
  "POST /api/v1/projects/{project}/models/{model}/explain": { input: { path: { project: string; model: string }; query?: { version?: string | undefined; filename?: string | undefined; format?: "csv" | "tsv" | "json" | "jsonl" | "ndjson" | "parquet" | undefined; bad?: "error" | "null" | undefined; output_format?: "csv" | "jsonl" | "parquet" | undefined }; body: Blob }; answer: Job; permission: "predict" };
  /** Register a model file that was made elsewhere, the body, as a new version */
  "POST /api/v1/projects/{project}/models/{model}/versions": { input: { path: { project: string; model: string }; query?: { target?: string | undefined; class?: string[] | undefined; dataset?: string | undefined; note?: string | undefined }; body: Blob }; answer: BroughtModel; permission: "model.write" };
  /** Approve or reject a version */
  "POST /api/v1/projects/{project}/models/{model}/versions/{version}/approvals": { input: { path: { project: string; model: string; version: string }; body: { approved?: boolean | undefined; comment?: string | undefined } }; answer: unknown; permission: "model.approve" };
  /** Watch an endpoint with another monitor */
  "POST /api/v1/projects/{project}/monitors": { input: { path: { project: string }; body: { name: string; endpoint?: string | undefined; window?: Record<string, unknown> | undefined; alert?: Record<string, unknown> | undefined; against?: "training" | "previous" | undefined; effect_min?: number | undefined; method?: string | undefined; threshold?: number | undefined; methods?: Record<string, unknown> | undefined; thresholds?: Record<string, unknown> | undefined; coverage_min?: number | undefined; label_wait?: number | undefined; ignore?: string[] | undefined; quiet?: string[] | undefined } }; answer: unknown; permission: "model.write" };
  /** Judge the windows that are complete now; answers when it is done */
  "POST /api/v1/projects/{project}/monitors/{monitor}/run": { input: { path: { project: string; monitor: string } }; answer: unknown; permission: "model.write" };
  /** Tells the project's channels something; the same key again tells nothing new */
  "POST /api/v1/projects/{project}/notices": { input: { path: { project: string }; body: NewNotice }; answer: Notice; permission: "notice.write" };
  /** Gives its dead deliveries to their channels once more */
  "POST /api/v1/projects/{project}/notices/{notice}/retry": { input: { path: { project: string; notice: string } }; answer: Notice; permission: "notice.write" };
  /** Run a pipeline, or the YAML of one. What its steps do needs its own permission; programs need pipeline.program */
  "POST /api/v1/projects/{project}/pipeline_runs": { input: { path: { project: string }; body: NewPipelineRun }; answer: PipelineRun; permission: "pipeline.run" };
  /** Add a version of a pipeline or a component; the same bytes are the same version */
  "POST /api/v1/projects/{project}/pipelines": { input: { path: { project: string }; body: NewPipeline }; answer: PipelineVersion; permission: "pipeline.write" };
  /** The checked graph of a pipeline that is not added */
  "POST /api/v1/projects/{project}/pipelines/check": { input: { path: { project: string }; query?: { layout?: boolean | undefined }; body: NewPipeline }; answer: Pipeline; permission: "pipeline.read" };
  /** Start a job that scores the file in the body */
  "POST /api/v1/projects/{project}/predict": { input: { path: { project: string }; query: { model: string; filename?: string | undefined; format?: "csv" | "tsv" | "json" | "jsonl" | "ndjson" | "parquet" | undefined; bad?: "error" | "null" | undefined; output_format?: "csv" | "jsonl" | "parquet" | undefined }; body: Blob }; answer: Job; permission: "predict" };
  /** Begin the run of a program; answers the run and a token that can write to it alone */
  "POST /api/v1/projects/{project}/programs": { input: { path: { project: string }; body: NewProgram }; answer: Program; permission: "run.write" };
  /** Tell of a push to a repository, as a git hook does */
  "POST /api/v1/projects/{project}/pushes": { input: { path: { project: string }; body: { repository: string; branch: string; commit: string } }; answer: unknown; permission: "trigger.fire" };
  /** One SELECT over the project's datasets by name: a job, whose answer is waited for; whole numbers beyond 64 bits, NaN, Infinity and -Infinity come as text */
  "POST /api/v1/projects/{project}/query": { input: { path: { project: string }; query?: { wait?: boolean | undefined }; body: QueryRequest }; answer: QueryResult; permission: "query" };
  /** One SELECT over the Parquet file that is sent, its table `file`; nothing of it is kept */
  "POST /api/v1/projects/{project}/query/file": { input: { path: { project: string }; query: { sql: string; limit?: number | undefined }; body: Blob }; answer: QueryResult; permission: "query" };
  /** Whether a recipe written by hand holds, for a dataset and a target when they are named: its canonical form, inputs and outputs */
  "POST /api/v1/projects/{project}/recipes/check": { input: { path: { project: string }; body: CheckRecipeRequest }; answer: CheckedRecipe; permission: "dataset.read" };
  /** A recipe that a careful person would begin with, for a dataset and a target */
  "POST /api/v1/projects/{project}/recipes/suggest": { input: { path: { project: string }; body: SuggestRequest }; answer: SuggestedRecipe; permission: "dataset.read" };
  /** Begin a run that was made elsewhere, or answer the one of this key */
  "POST /api/v1/projects/{project}/runs": { input: { path: { project: string }; body: BroughtRun }; answer: Run; permission: "run.write" };
  /** End runs, experiments and logged models that MLflow's clients deleted, for good */
  "POST /api/v1/projects/{project}/runs/purge": { input: { path: { project: string }; query?: { older_than_seconds?: number | undefined; dry_run?: boolean | undefined }; body: Purge }; answer: PurgedRuns; permission: "access.admin" };
  /** Store an artifact (the same as PUT) */
  "POST /api/v1/projects/{project}/runs/{run}/artifacts/{path*}": { input: { path: { project: string; run: string; path: string }; body: Blob }; answer: Artifact; permission: "run.write" };
  /** Add params, tags and metric points in one transaction */
  "POST /api/v1/projects/{project}/runs/{run}/batch": { input: { path: { project: string; run: string }; body: RunBatch }; answer: unknown; permission: "run.write" };
  /** Copy a run to an experiment, also of another project; its files are shared */
  "POST /api/v1/projects/{project}/runs/{run}/copy": { input: { path: { project: string; run: string }; body: { experiment: string; project?: string | undefined; name?: string | undefined } }; answer: Run; permission: "run.read" };
  /** End a run: status, error, resources */
  "POST /api/v1/projects/{project}/runs/{run}/end": { input: { path: { project: string; run: string }; body: RunEnd }; answer: Run; permission: "run.write" };
  /** Move a run to another experiment of its project; its id and files stay */
  "POST /api/v1/projects/{project}/runs/{run}/move": { input: { path: { project: string; run: string }; body: { experiment: string } }; answer: Run; permission: "run.write" };
  /** Bring a run back that a client deleted */
  "POST /api/v1/projects/{project}/runs/{run}/restore": { input: { path: { project: string; run: string } }; answer: Run; permission: "run.write" };
  /** Train models on a dataset, register the best, and let the gate decide on @champion: a job */
  "POST /api/v1/projects/{project}/train": { input: { path: { project: string }; body: TrainRequest }; answer: Job; permission: "run.write" };
  /** What a training would do: task, metric, split, candidates, columns left out; nothing is changed */
  "POST /api/v1/projects/{project}/train/plan": { input: { path: { project: string }; body: TrainRequest }; answer: TrainPlan; permission: "dataset.read" };
  /** Put a thing back, with all that belongs to it */
  "POST /api/v1/projects/{project}/trash/{number}/restore": { input: { path: { project: string; number: string }; body: Restore }; answer: TrashItem; permission: "project.read" };
  /** Make a trigger */
  "POST /api/v1/projects/{project}/triggers": { input: { path: { project: string }; body: NewTrigger }; answer: Trigger; permission: "trigger.write" };
  /** Fire a trigger: by hand, or as its webhook; the same key again is the same firing */
  "POST /api/v1/projects/{project}/triggers/{trigger}/fire": { input: { path: { project: string; trigger: string }; body: { key?: string | undefined; text?: string | undefined; webhook?: boolean | undefined } }; answer: Firing; permission: "trigger.fire" };
  /** Wraps every secret's key under a new master key */
  "POST /api/v1/secrets/rotate": { input: Record<string, never>; answer: unknown; permission: "access.admin" };
  /** Make the first user, with the secret of the setup link */
  "POST /api/v1/setup": { input: { body: NewSetup }; answer: IssuedToken; permission: "public" };
  /** Make a token; its secret is shown once */
  "POST /api/v1/tokens": { input: { body: NewToken }; answer: IssuedToken; permission: "self" };
  /** End what is in the trash, for good */
  "POST /api/v1/trash/empty": { input: { query?: { project?: string | undefined; older_than_seconds?: number | undefined; noun?: string | undefined; name?: string | undefined } }; answer: TrashPurged; permission: "access.admin" };
  /** Put back what is of no project, a user, or a project itself */
  "POST /api/v1/trash/{number}/restore": { input: { path: { number: string }; body: Restore }; answer: TrashItem; permission: "access.admin" };
  /** Make a user */
  "POST /api/v1/users": { input: { body: NewUser }; answer: User; permission: "access.admin" };
  /** Predict rows */
  "POST /e/{endpoint}": { input: { path: { endpoint: string }; body: PredictRequest }; answer: Prediction; permission: "predict" };
  /** Set the suite */
  "PUT /api/v1/projects/{project}/datasets/{dataset}/expectations": { input: { path: { project: string; dataset: string }; body: ExpectationSuite }; answer: ExpectationSuite; permission: "dataset.write" };
  /** Set tags of a version; an empty value removes one */
  "PUT /api/v1/projects/{project}/datasets/{dataset}/versions/{version}/tags": { input: { path: { project: string; dataset: string; version: string }; body: { [name: string]: string } }; answer: DatasetVersion; permission: "dataset.write" };
  /** Keep what a file says of one thing; of sources and recipes that is all there is */
  "PUT /api/v1/projects/{project}/declarations/{kind}/{name}": { input: { path: { project: string; kind: string; name: string }; body: NewDeclaration }; answer: Declaration; permission: "project.write" };
  /** Deploy a model; answers when it serves */
  "PUT /api/v1/projects/{project}/endpoints/{endpoint}": { input: { path: { project: string; endpoint: string }; body: Deploy }; answer: Endpoint; permission: "endpoint.deploy" };
  /** Shares of the requests by variant; the champion has the rest, and a shadow goes with share 0 */
  "PUT /api/v1/projects/{project}/endpoints/{endpoint}/traffic": { input: { path: { project: string; endpoint: string }; body: Traffic }; answer: Endpoint; permission: "endpoint.deploy" };
  /** Deploy a version beside the champion; answers when it serves */
  "PUT /api/v1/projects/{project}/endpoints/{endpoint}/variants/{variant}": { input: { path: { project: string; endpoint: string; variant: string }; body: Variant }; answer: Endpoint; permission: "endpoint.deploy" };
  /** Move an alias: by the verdict of its gate, or by an override with a reason */
  "PUT /api/v1/projects/{project}/models/{model}/aliases/{alias}": { input: { path: { project: string; model: string; alias: string }; body: { version: unknown; reason?: string | undefined; override?: boolean | undefined } }; answer: unknown; permission: "model.approve" };
  /** Say what an alias asks for */
  "PUT /api/v1/projects/{project}/models/{model}/policies/{alias}": { input: { path: { project: string; model: string; alias: string }; body: { approvals_min?: number | undefined; author_may_approve?: boolean | undefined; rules?: Record<string, unknown>[] | undefined; metric?: string | undefined; dataset?: string | undefined } }; answer: unknown; permission: "model.approve" };
  /** State the problem; what is left out stays as it was */
  "PUT /api/v1/projects/{project}/problem": { input: { path: { project: string }; body: ProblemChange }; answer: ProblemStatement; permission: "project.write" };
  /** Change what a stream of run events follows, while it goes on */
  "PUT /api/v1/projects/{project}/run-events/{stream}": { input: { path: { project: string; stream: string }; body: { runs?: string[] | undefined; experiments?: string[] | undefined } }; answer: unknown; permission: "run.read" };
  /** Store an artifact */
  "PUT /api/v1/projects/{project}/runs/{run}/artifacts/{path*}": { input: { path: { project: string; run: string; path: string }; body: Blob }; answer: Artifact; permission: "run.write" };
  /** Sets a secret */
  "PUT /api/v1/projects/{project}/secrets/{secret}": { input: { path: { project: string; secret: string }; body: NewSecret }; answer: unknown; permission: "secret.write" };
  /** Replace a trigger; its firings stay */
  "PUT /api/v1/projects/{project}/triggers/{trigger}": { input: { path: { project: string; trigger: string }; body: NewTrigger }; answer: Trigger; permission: "trigger.write" };
  /** Prices from this hour on, in millionths of the currency; those that are not given stay, and what has passed keeps its price */
  "PUT /api/v1/usage/prices": { input: { body: PriceBook }; answer: PriceBookList; permission: "usage.admin" };
  /** Give a role, in a project or everywhere */
  "PUT /api/v1/users/{user}/roles/{role}": { input: { path: { user: string; role: string }; query?: { project?: string | undefined } }; answer: User; permission: "access.admin" };
}
