// Which fields each noun knows, and what it says of others.
#include "ml/tracking/filter.h"

namespace gyre::tracking {
namespace {

using enum Compare;

constexpr CompareSet kNumbers = {kLess, kLessEqual, kGreater, kGreaterEqual, kEqual, kNotEqual};
constexpr CompareSet kNames = {kEqual, kNotEqual, kIn, kNotIn};
constexpr CompareSet kTexts = {kEqual, kNotEqual, kLike, kILike};
constexpr CompareSet kListTexts = {kEqual, kNotEqual, kLike, kILike, kIn, kNotIn};
constexpr CompareSet kMaybeTexts = {kEqual, kNotEqual, kLike, kILike, kIsNull, kIsNotNull};
constexpr CompareSet kTraceTexts = {kEqual, kNotEqual, kLike, kILike, kRLike, kIn, kNotIn};
constexpr CompareSet kTraceTags = {kEqual, kNotEqual, kLike,   kILike,    kRLike,
                                   kIn,    kNotIn,    kIsNull, kIsNotNull};
constexpr CompareSet kTraceMetadata = {kEqual, kNotEqual, kLike,     kILike,
                                       kRLike, kIsNull,   kIsNotNull};
constexpr CompareSet kScores = {kLess, kLessEqual, kGreater, kGreaterEqual, kEqual,    kNotEqual,
                                kLike, kILike,     kRLike,   kIsNull,       kIsNotNull};

constexpr std::string_view kNotOneOf = "Invalid comparator '{written}' not one of '{known}'";
// MLflow leaves the last quote out for all but params and attributes.
constexpr std::string_view kNotOneOfOpen = "Invalid comparator '{written}' not one of '{known}";
constexpr std::string_view kForTag = "Invalid comparator for tag: {written}";
constexpr std::string_view kForAttribute = "Invalid comparator for attribute: {written}";
constexpr std::string_view kUnknownKey =
    "Invalid attribute key '{written}' specified. Valid keys are '{known}'";
constexpr std::string_view kQuotedText =
    "Expected a quoted string value for attributes. Got value {written}";
constexpr std::string_view kQuotedTextOrList =
    "Expected a quoted string value or a list of quoted string values for attributes. Got value "
    "{written}";

// --- runs ----------------------------------------------------------------------------------------
constexpr AttributeField kRunAttributes[] = {
    {"run_id", FieldType::kText, kListTexts},
    {"run_name", FieldType::kText, kTexts, "run name|Run name|Run Name"},
    {"status", FieldType::kText, kTexts},
    {"artifact_uri", FieldType::kText, kTexts},
    {"user_id", FieldType::kText, kTexts},
    {"start_time", FieldType::kNumber, kNumbers, "created|Created"},
    {"end_time", FieldType::kNumber, kNumbers},
};
constexpr EntityField kRunEntities[] = {
    {.entity = Entity::kAttribute, .words = "attribute|attributes|attr|run"},
    {.entity = Entity::kMetric,
     .words = "metric|metrics",
     .type = FieldType::kNumber,
     .compares = kNumbers,
     .complaint = kNotOneOfOpen,
     .ordered = true},
    {.entity = Entity::kMetricLeast,
     .words = "min",
     .type = FieldType::kNumber,
     .compares = kNumbers,
     .complaint = kNotOneOfOpen,
     .ordered = true},
    {.entity = Entity::kMetricMost,
     .words = "max",
     .type = FieldType::kNumber,
     .compares = kNumbers,
     .complaint = kNotOneOfOpen,
     .ordered = true},
    {.entity = Entity::kMetricBest,
     .words = "best",
     .type = FieldType::kNumber,
     .compares = kNumbers,
     .complaint = kNotOneOfOpen,
     .ordered = true},
    {.entity = Entity::kParam,
     .words = "parameter|parameters|param|params",
     .compares = kMaybeTexts,
     .ordered = true},
    {.entity = Entity::kTag,
     .words = "tag|tags",
     .compares = kMaybeTexts,
     .complaint = kNotOneOfOpen,
     .ordered = true},
    {.entity = Entity::kDataset,
     .words = "dataset|datasets",
     .compares = kListTexts,
     .keys = "name|digest|context",
     .complaint = kNotOneOfOpen,
     .unknown_key = "Invalid dataset key '{key}' specified. Valid keys are '{known}'"},
};

// --- experiments ---------------------------------------------------------------------------------
constexpr AttributeField kExperimentAttributes[] = {
    {"name", FieldType::kText, kTexts},
    {"experiment_id",
     FieldType::kText,
     kNames,
     {},
     "Invalid comparator for experiment_id: {written}"},
    {"creation_time", FieldType::kInteger, kNumbers},
    {"last_update_time", FieldType::kInteger, kNumbers},
};
constexpr EntityField kExperimentEntities[] = {
    {.entity = Entity::kAttribute, .words = "attribute|attributes"},
    {.entity = Entity::kTag, .words = "tag|tags", .compares = kMaybeTexts, .complaint = kForTag},
};

// --- registered models and their versions --------------------------------------------------------
constexpr AttributeField kModelAttributes[] = {
    {"name", FieldType::kText, kListTexts},
    {"timestamp", FieldType::kInteger, {}, "last_updated_timestamp"},
};
constexpr EntityField kModelEntities[] = {
    {.entity = Entity::kAttribute, .words = "attribute"},
    {.entity = Entity::kTag, .words = "tag|tags", .compares = kTexts, .complaint = kForTag},
};
constexpr AttributeField kModelVersionAttributes[] = {
    {"name", FieldType::kText, kListTexts},
    {"version_number",
     FieldType::kInteger,
     kNumbers,
     {},
     "Invalid comparator for attribute version_number: {written}"},
    {"run_id", FieldType::kText, kListTexts, {}, {}, false},
    {"source_path", FieldType::kText, kTexts, {}, {}, false},
    {"creation_timestamp", FieldType::kInteger, {}},
    {"last_updated_timestamp", FieldType::kInteger, {}},
};
constexpr std::string_view kModelEntityComplaint =
    "Invalid entity type '{written}'. Valid entity types are ('attribute', 'tag', 'tags')";

// --- logged models -------------------------------------------------------------------------------
constexpr AttributeField kLoggedModelAttributes[] = {
    {"name", FieldType::kText, kListTexts},
    {"model_id", FieldType::kText, kListTexts},
    {"model_type", FieldType::kText, kListTexts},
    {"status", FieldType::kText, kListTexts},
    {"source_run_id", FieldType::kText, kListTexts},
    {"experiment_id", FieldType::kText, kListTexts, {}, {}, false},
    {"creation_timestamp", FieldType::kNumber, kNumbers, "creation_time|creation_timestamp_ms"},
    {"last_updated_timestamp", FieldType::kNumber, kNumbers,
     "last_updated_time|last_updated_timestamp_ms"},
};
constexpr EntityField kLoggedModelEntities[] = {
    {.entity = Entity::kAttribute, .words = "attributes"},
    {.entity = Entity::kMetric,
     .words = "metrics",
     .type = FieldType::kNumber,
     .compares = kNumbers,
     .ordered = true},
    {.entity = Entity::kParam, .words = "params", .compares = kListTexts},
    {.entity = Entity::kTag, .words = "tags", .compares = kListTexts},
};

// --- traces --------------------------------------------------------------------------------------
constexpr AttributeField kTraceAttributes[] = {
    {"request_id", FieldType::kText, kTraceTexts},
    {"timestamp", FieldType::kInteger, kNumbers, "timestamp_ms"},
    {"execution_time", FieldType::kInteger, kNumbers, "execution_time_ms"},
    {"end_time", FieldType::kInteger, kNumbers, "end_time_ms"},
    {"status", FieldType::kText, kTraceTexts},
    {"client_request_id", FieldType::kText, kTraceTexts, {}, {}, false},
    {"name", FieldType::kText, kTraceTexts},
    {"run_id", FieldType::kText, kTraceTexts},
    {"prompt", FieldType::kText, {kEqual}, {}, {}, false},
    {"text", FieldType::kText, {kLike, kILike}, {}, {}, false},
    {"experiment_id", FieldType::kText, {}},
};
constexpr std::string_view kSpanComplaint =
    "{entity}.{key} comparator '{written}' not one of '{known}'";
constexpr std::string_view kAssessmentComplaint =
    "assessment.{key} comparator '{written}' not one of '{known}'";
constexpr EntityField kTraceEntities[] = {
    {.entity = Entity::kAttribute, .words = "attribute|attributes|trace"},
    {.entity = Entity::kTag, .words = "tag|tags", .compares = kTraceTags, .ordered = true},
    {.entity = Entity::kMetadata,
     .words = "request_metadata|metadata",
     .compares = kTraceMetadata,
     .ordered = true},
    {.entity = Entity::kSpan,
     .words = "span",
     .compares = {kLike, kILike},
     .keys = "content",
     .complaint = kSpanComplaint},
    {.entity = Entity::kSpan,
     .words = "span",
     .compares = kTraceTexts,
     .keys = "name|type|status|attributes.",
     .complaint = kSpanComplaint,
     .unknown_key = "Invalid span attribute '{key}'. Supported attributes: name, status, type, "
                    "attributes.<attribute_name>."},
    {.entity = Entity::kFeedback,
     .words = "feedback",
     .type = FieldType::kScore,
     .compares = kScores,
     .complaint = kAssessmentComplaint},
    {.entity = Entity::kExpectation,
     .words = "expectation",
     .type = FieldType::kScore,
     .compares = kScores,
     .complaint = kAssessmentComplaint},
};

}  // namespace

const FieldTable kRunFields = {
    .noun = "runs",
    .attributes = kRunAttributes,
    .entities = kRunEntities,
    .complaints = {.entity =
                       "Invalid entity type '{written}'. Valid values are ['metric', 'parameter', "
                       "'tag', 'attribute', 'dataset']",
                   .order_entity = "Invalid identifier type '{written}'",
                   .order_key = kUnknownKey,
                   .compare = kNotOneOf,
                   .text = kQuotedText,
                   .null = "IS NULL / IS NOT NULL is only supported for tags and params, not for "
                           "'{entity}' '{key}'"}};

const FieldTable kExperimentFields = {
    .noun = "experiments",
    .attributes = kExperimentAttributes,
    .entities = kExperimentEntities,
    .complaints = {.entity =
                       "Invalid entity type '{written}'. Valid entity types are ('attribute', "
                       "'attributes', 'tag', 'tags')",
                   .order_entity = "Invalid order_by entity: {written}",
                   .order_key = kUnknownKey,
                   .compare = kNotOneOf,
                   .text = kQuotedText,
                   .null = "IS NULL / IS NOT NULL is only supported for tags, not for {entity} "
                           "'{key}'"}};

const FieldTable kModelFields = {
    .noun = "registered models",
    .attributes = kModelAttributes,
    .entities = kModelEntities,
    .complaints = {
        .entity = kModelEntityComplaint,
        .order_entity =
            "Invalid order by key '{written}.{key}' specified. Valid keys are '{known}'",
        .order_key = "Invalid order by key '{written}' specified. Valid keys are '{known}'",
        .compare = kForAttribute,
        .text = kQuotedTextOrList}};

const FieldTable kModelVersionFields = {
    .noun = "model versions",
    .attributes = kModelVersionAttributes,
    .entities = kModelEntities,
    .complaints = {.entity = kModelEntityComplaint,
                   .order_entity = "Invalid order_by entity: {written}",
                   .order_key = kUnknownKey,
                   .compare = kForAttribute,
                   .text = kQuotedTextOrList},
    .text_as_numbers = true};

const FieldTable kLoggedModelFields = {
    .noun = "logged models",
    .attributes = kLoggedModelAttributes,
    .entities = kLoggedModelEntities,
    .complaints = {.entity = "Invalid entity type: '{written}'. Expected one of ['attributes', "
                             "'metrics', 'params', 'tags'].",
                   .order_entity =
                       "Invalid order by field name: {written}, only `metrics.<name>` is allowed.",
                   .order_key = "Invalid order by field name: {written}.",
                   .compare = "Invalid comparison operator for {entity}.{key}: '{written}'. "
                              "Expected one of {listed}.",
                   .text = kQuotedTextOrList},
    .numbers_as_text = true};

const FieldTable kTraceFields = {
    .noun = "traces",
    .attributes = kTraceAttributes,
    .entities = kTraceEntities,
    .complaints = {.entity = "Invalid entity type '{written}'. Valid values are {known}",
                   .order_entity = "Invalid order_by entity `{written}` with key `{key}`",
                   .order_key = kUnknownKey,
                   .compare = kNotOneOf,
                   .text = kQuotedTextOrList},
    .text_as_numbers = true};

}  // namespace gyre::tracking
