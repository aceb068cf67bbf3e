#include "ml/training/torch_names.h"

#include <algorithm>

#include "base/text.h"

namespace gyre::training {
namespace {

struct Module {
  std::string_view name;
  std::string_view holds;  // with spaces between them
};

// What torch's own reader of weights takes, and modules that hold weights and other modules.
constexpr Module kModules[] = {
    {"torch",
     "BFloat16Storage BoolStorage ByteStorage CharStorage DoubleStorage FloatStorage HalfStorage "
     "IntStorage LongStorage ShortStorage Size Tensor bfloat16 bool device dtype float16 float32 "
     "float64 int16 int32 int64 int8 uint8"},
    {"torch._tensor", "_rebuild_from_type_v2"},
    {"torch._utils",
     "_rebuild_parameter _rebuild_parameter_with_state _rebuild_tensor _rebuild_tensor_v2"},
    {"torch.nn.modules.activation",
     "CELU ELU GELU GLU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU LogSigmoid LogSoftmax "
     "Mish MultiheadAttention PReLU RReLU ReLU ReLU6 SELU SiLU Sigmoid Softmax Softmax2d Softmin "
     "Softplus Softshrink Softsign Tanh Tanhshrink Threshold"},
    {"torch.nn.modules.batchnorm", "BatchNorm1d BatchNorm2d BatchNorm3d"},
    {"torch.nn.modules.container", "ModuleDict ModuleList ParameterDict ParameterList Sequential"},
    {"torch.nn.modules.conv",
     "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d"},
    {"torch.nn.modules.dropout",
     "AlphaDropout Dropout Dropout1d Dropout2d Dropout3d FeatureAlphaDropout"},
    {"torch.nn.modules.flatten", "Flatten Unflatten"},
    {"torch.nn.modules.instancenorm", "InstanceNorm1d InstanceNorm2d InstanceNorm3d"},
    {"torch.nn.modules.linear", "Bilinear Identity Linear NonDynamicallyQuantizableLinear"},
    {"torch.nn.modules.normalization", "GroupNorm LayerNorm LocalResponseNorm RMSNorm"},
    {"torch.nn.modules.padding",
     "ConstantPad1d ConstantPad2d ReflectionPad1d ReflectionPad2d ReplicationPad1d "
     "ReplicationPad2d ZeroPad2d"},
    {"torch.nn.modules.pooling",
     "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveMaxPool1d AdaptiveMaxPool2d AvgPool1d AvgPool2d "
     "AvgPool3d MaxPool1d MaxPool2d MaxPool3d"},
    {"torch.nn.modules.rnn", "GRU GRUCell LSTM LSTMCell RNN RNNCell"},
    {"torch.nn.modules.sparse", "Embedding EmbeddingBag"},
    {"torch.nn.modules.upsampling", "Upsample UpsamplingBilinear2d UpsamplingNearest2d"},
    {"torch.nn.parameter", "Buffer Parameter"},
    {"torch.serialization", "_get_layout"},
};

}  // namespace

bool IsKnownTorchName(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return false;
  const auto* const found =
      std::ranges::lower_bound(kModules, name.substr(0, dot), {}, &Module::name);
  if (found == std::end(kModules) || found->name != name.substr(0, dot)) return false;
  const auto names = Split(found->holds, ' ');
  return std::ranges::find(names, name.substr(dot + 1)) != names.end();
}

}  // namespace gyre::training
