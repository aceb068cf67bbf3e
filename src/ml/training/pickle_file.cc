#include "ml/training/pickle_file.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "base/text.h"
#include "ml/training/pickle_names.h"

namespace gyre::training {
namespace {

constexpr std::size_t kValuesMax = 20'000'000;
constexpr std::size_t kCopiedMax = 2'000'000;    // members of states, which many objects may share
constexpr std::string_view kRaw = "biufcmMSUV";  // kinds of arrays whose bytes hold no objects
constexpr std::string_view kBuffer = "a buffer outside the file";
constexpr std::string_view kWrapperKeys[] = {
    "subclass", "shape", "order", "dtype", "allow_mmap", "numpy_array_alignment_bytes"};

enum class Kind : unsigned char {
  kOther,
  kNone,
  kBool,
  kNumber,
  kText,
  kName,
  kTuple,
  kDict,
  kMade,
  kMark
};

// A value that is only written down. `items` of a tuple; of what is made: its class and arguments.
struct Value {
  Kind kind = Kind::kOther;
  std::string text = {};
  std::vector<std::uint32_t> items = {};
  // Of a dictionary and of the state of an object: what has a text for its key.
  std::map<std::string, std::uint32_t> members = {};
  bool other_keys = false;               // it has keys besides those
  std::optional<std::uint32_t> state{};  // that it was built with, the last
};

class Machine {
 public:
  explicit Machine(std::string_view bytes) : rest_(bytes) {}

  Result<PickleFacts> Run() {
    if (!Pickle()) {
      return InvalidArgument("GY3546", "the pickle cannot be read: {} at byte {}", problem_, at())
          .Why("its opcodes were read, none was carried out");
    }
    return Facts();
  }

  PickleProbe Probe() {
    (void)Pickle();
    // A plain reader has nothing outside the file, and stops there.
    const auto is_name = [](const std::string& name) {
      return name != kOutsideObject && name != kBuffer;
    };
    PickleProbe probe;
    std::ranges::copy_if(names_, std::back_inserter(probe.names), is_name);
    std::ranges::copy_if(unknown_, std::back_inserter(probe.unknown), is_name);
    return probe;
  }

 private:
  std::size_t at() const { return read_; }
  bool Fail(std::string_view problem) {
    if (problem_.empty()) problem_ = problem;
    return false;
  }
  bool Bytes(std::uint64_t count, std::string_view* bytes) {
    if (count > rest_.size()) return Fail("it is cut off");
    *bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    read_ += count;
    return true;
  }
  bool Little(int width, std::uint64_t* value) {
    std::string_view bytes;
    if (!Bytes(static_cast<std::uint64_t>(width), &bytes)) return false;
    *value = 0;
    for (std::size_t i = bytes.size(); i-- > 0;)
      *value = (*value << 8) | static_cast<unsigned char>(bytes[i]);
    return true;
  }
  bool Line(std::string_view* line) {
    const std::size_t end = rest_.find('\n');
    if (end == std::string_view::npos) return Fail("it is cut off");
    std::string_view bytes;
    if (!Bytes(end + 1, &bytes)) return false;
    *line = bytes.substr(0, end);
    return true;
  }
  bool Counted(int width, std::string_view* bytes) {
    std::uint64_t count = 0;
    return Little(width, &count) && Bytes(count, bytes);
  }

  bool Push(Value value) {
    if (values_.size() >= kValuesMax) return Fail("it has too many values");
    values_.push_back(std::move(value));
    stack_.push_back(static_cast<std::uint32_t>(values_.size() - 1));
    return true;
  }
  bool PushOther() { return Push({}); }
  bool PushText(std::string_view text) { return Push({Kind::kText, std::string(text)}); }
  // What an escape stands for is not worked out: such a text names nothing and is no key.
  bool PushEscaped(std::string_view text) {
    return text.find('\\') == std::string_view::npos ? PushText(text) : PushOther();
  }
  bool PushNumber(std::string text) { return Push({Kind::kNumber, std::move(text)}); }
  bool Pop(std::uint32_t* value) {
    if (stack_.empty()) return Fail("its stack is empty");
    *value = stack_.back();
    stack_.pop_back();
    return true;
  }
  bool Top(std::uint32_t* value) {
    if (stack_.empty()) return Fail("its stack is empty");
    *value = stack_.back();
    return true;
  }
  // What stands above the last mark, which goes too.
  bool PopMark(std::vector<std::uint32_t>* items) {
    for (std::size_t i = stack_.size(); i-- > 0;) {
      if (values_[stack_[i]].kind != Kind::kMark) continue;
      items->assign(stack_.begin() + static_cast<std::ptrdiff_t>(i) + 1, stack_.end());
      stack_.resize(i);
      return true;
    }
    return Fail("a mark is missing");
  }

  void Note(std::string name) {
    unknown_.insert(name);
    names_.insert(std::move(name));
  }
  std::string NoteName(std::string_view module, std::string_view name) {
    std::string whole = fmt::format("{}.{}", module, name);
    names_.insert(whole);
    if (!IsKnownName(module, name)) unknown_.insert(whole);
    return whole;
  }
  bool Name(std::string_view module, std::string_view name) {
    return Push({Kind::kName, NoteName(module, name)});
  }
  bool NameOnStack() {
    std::uint32_t name = 0, module = 0;
    if (!Pop(&name) || !Pop(&module)) return false;
    const bool plain = values_[name].kind == Kind::kText && values_[module].kind == Kind::kText;
    if (plain) return Name(values_[module].text, values_[name].text);
    Note("a name that is computed");
    return Push({Kind::kName, "a name that is computed"});
  }
  // Called or constructed: written down with its class and its arguments.
  bool Make(std::uint32_t made, std::uint32_t arguments) {
    const Value& by = values_[made];
    Value value{Kind::kMade, by.kind == Kind::kName ? by.text : ""};
    // copyreg._reconstructor(cls, base, state), numpy's _reconstruct(cls, ...)
    const auto& items = values_[arguments].items;
    if (value.text.ends_with("._reconstructor") && !items.empty() &&
        values_[items[0]].kind == Kind::kName)
      value.text = values_[items[0]].text;
    value.items = {arguments};
    return Push(std::move(value));
  }
  bool MakeFromStack() {
    std::uint32_t arguments = 0, made = 0;
    return Pop(&arguments) && Pop(&made) && Make(made, arguments);
  }
  bool PushTuple(std::size_t count) {
    if (stack_.size() < count) return Fail("its stack is empty");
    Value tuple{Kind::kTuple};
    tuple.items.assign(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    return Push(std::move(tuple));
  }
  bool SetMembers(const std::vector<std::uint32_t>& items) {
    std::uint32_t dictionary = 0;
    if (!Top(&dictionary)) return false;
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      if (values_[items[i]].kind == Kind::kText)
        values_[dictionary].members[values_[items[i]].text] = items[i + 1];
      else
        values_[dictionary].other_keys = true;
    }
    return true;
  }

  bool Build();
  bool IsWrapperState(std::uint32_t object, std::uint32_t state) const;
  bool ChangesAClass(std::uint32_t object, std::uint32_t state) const;
  std::optional<std::uint64_t> ItemBytes(const Value& type) const;
  bool Array(const Value& wrapper);
  bool ObjectArray();
  bool RawArray(const Value& shape, std::uint64_t item_bytes, const Value* alignment);
  bool Text(char opcode, bool* known);
  bool Number(char opcode, bool* known);
  bool Container(char opcode, bool* known);
  bool Memory(char opcode, bool* known);
  bool Object(char opcode, bool* known);
  bool Pickle();
  bool Step(char opcode);
  PickleFacts Facts() const;

  std::string_view rest_;
  std::size_t read_ = 0;
  std::string problem_;
  std::vector<Value> values_;
  std::vector<std::uint32_t> stack_;
  std::unordered_map<std::uint64_t, std::uint32_t> memo_;
  std::set<std::string> names_, unknown_;
  std::size_t frame_end_ = 0, copied_ = 0;
  bool within_array_ = false;
};

// The state of an object: a dictionary, or a tuple that holds one.
bool Machine::Build() {
  std::uint32_t state = 0, object = 0;
  if (!Pop(&state) || !Top(&object)) return false;
  if (ChangesAClass(object, state)) return Fail("it changes a class");
  // Only joblib's own reader goes on with the bytes of an array, and not within another array.
  const bool wraps = values_[object].text == "joblib.numpy_pickle.NumpyArrayWrapper";
  if (wraps && (within_array_ || !IsWrapperState(object, state)))
    return Fail("an array stands where it cannot be told");
  std::vector<std::uint32_t> parts = {state};
  if (values_[state].kind == Kind::kTuple) parts = values_[state].items;
  for (const std::uint32_t part : parts) {
    if (part == object) continue;
    const auto& members = values_[part].members;
    copied_ += members.size();
    if (copied_ > kCopiedMax) return Fail("it has too many values");
    for (const auto& [key, value] : members) values_[object].members[key] = value;
  }
  values_[object].state = state;
  return !wraps || Array(Value(values_[object]));
}

// Made of nothing, and all that is set is what joblib sets: else its reader may do otherwise.
bool Machine::IsWrapperState(std::uint32_t object, std::uint32_t state) const {
  const Value &wrapper = values_[object], &set = values_[state];
  if (wrapper.kind != Kind::kMade || wrapper.items.size() != 1 || set.kind != Kind::kDict ||
      set.other_keys)
    return false;
  const Value& arguments = values_[wrapper.items[0]];
  const bool reconstructed = arguments.items.size() == 3 &&
                             values_[arguments.items[1]].text.ends_with(".object") &&
                             values_[arguments.items[2]].kind == Kind::kNone;
  if (arguments.kind != Kind::kTuple || (!arguments.items.empty() && !reconstructed)) return false;
  return std::ranges::all_of(set.members, [](const auto& member) {
    return std::ranges::find(kWrapperKeys, member.first) != std::end(kWrapperKeys);
  });
}

// The second of two parts is set attribute by attribute.
bool Machine::ChangesAClass(std::uint32_t object, std::uint32_t state) const {
  if (values_[object].kind == Kind::kName) return true;
  const Value& set = values_[state];
  if (set.kind != Kind::kTuple || set.items.size() != 2) return false;
  const Value& attributes = values_[set.items[1]];
  return attributes.kind == Kind::kDict &&
         (attributes.other_keys || attributes.members.contains("__class__"));
}

// Of a type whose items hold no objects; 0 = each item is an object; nothing = who knows.
std::optional<std::uint64_t> Machine::ItemBytes(const Value& type) const {
  if (type.kind != Kind::kMade || type.text != "numpy.dtype" || type.items.empty()) return {};
  const Value& arguments = values_[type.items[0]];
  if (arguments.kind != Kind::kTuple || arguments.items.empty()) return {};
  const Value& first = values_[arguments.items[0]];
  if (first.kind != Kind::kText) return {};
  std::string_view code = first.text;
  if (!code.empty() && std::string_view("<>=|").find(code[0]) != code.npos) code.remove_prefix(1);
  if (code == "O" || code == "O8") return 0;
  const auto size = code.empty() ? std::nullopt : ParseInt(code.substr(1));
  if (!size || *size <= 0 || kRaw.find(code[0]) == code.npos) return {};
  std::uint64_t bytes = static_cast<std::uint64_t>(*size) * (code[0] == 'U' ? 4 : 1);
  if (!type.state) return bytes;
  // (version, order, subarray, names, fields, bytes, alignment, flags): the state may say that
  // there are objects whatever the code is, and another length of texts and records.
  constexpr std::size_t kBytes = 5, kFlags = 7;
  const Value& state = values_[*type.state];
  if (state.kind != Kind::kTuple || state.items.size() <= kFlags) return {};
  const auto flags = ParseInt(values_[state.items[kFlags]].text);
  const auto told = ParseInt(values_[state.items[kBytes]].text);
  if (!flags || (*flags & 1) != 0 || !told) return {};
  const bool flexible = code[0] == 'S' || code[0] == 'U' || code[0] == 'V';
  if (flexible && *told <= 0) return {};
  return flexible ? static_cast<std::uint64_t>(*told) : bytes;
}

// After the wrapper come its bytes, or a pickle of its own when they are objects.
bool Machine::Array(const Value& wrapper) {
  const auto member = [&](const char* key) -> const Value* {
    const auto found = wrapper.members.find(key);
    return found == wrapper.members.end() ? nullptr : &values_[found->second];
  };
  const Value *shape = member("shape"), *type = member("dtype"),
              *alignment = member("numpy_array_alignment_bytes");
  if (shape == nullptr || type == nullptr || shape->kind != Kind::kTuple)
    return Fail("an array does not say how large it is");
  // Its bytes are looked for behind the frame.
  if (read_ < frame_end_) return Fail("an array begins before its frame ends");
  const auto item_bytes = ItemBytes(*type);
  if (!item_bytes) return Fail("an array has no known type");
  return *item_bytes == 0 ? ObjectArray() : RawArray(*shape, *item_bytes, alignment);
}

bool Machine::ObjectArray() {
  const std::size_t depth = stack_.size();
  auto memo = std::move(memo_);  // a pickle of its own has a memory of its own
  memo_.clear();
  within_array_ = true;
  if (!Pickle()) return false;
  within_array_ = false;
  memo_ = std::move(memo);
  stack_.resize(std::min(stack_.size(), depth));
  return true;
}

bool Machine::RawArray(const Value& shape, std::uint64_t item_bytes, const Value* alignment) {
  std::string_view skipped;
  if (alignment != nullptr && alignment->kind != Kind::kNone) {
    std::uint64_t padding = 0;
    if (alignment->kind != Kind::kNumber) return Fail("an array is aligned to no number");
    if (!Little(1, &padding) || !Bytes(padding, &skipped)) return false;
  }
  std::uint64_t bytes = item_bytes;
  for (const std::uint32_t side : shape.items) {
    const std::int64_t length =
        values_[side].kind == Kind::kNumber ? ParseInt(values_[side].text).value_or(-1) : -1;
    if (length < 0 || (length > 0 && bytes > rest_.size() / static_cast<std::uint64_t>(length)))
      return Fail("an array is larger than the file");
    bytes *= static_cast<std::uint64_t>(length);
  }
  return Bytes(bytes, &skipped);
}

bool Machine::Text(char opcode, bool* known) {
  std::string_view bytes;
  switch (opcode) {
    case '\x8d':
      return Counted(8, &bytes) && PushText(bytes);
    case 'V':
      return Line(&bytes) && PushEscaped(bytes);
    case 'U':
    case '\x8c':
      return Counted(1, &bytes) && PushText(bytes);
    case 'T':
    case 'X':
      return Counted(4, &bytes) && PushText(bytes);
    case 'S':
      if (!Line(&bytes)) return false;
      if (bytes.size() >= 2) bytes = bytes.substr(1, bytes.size() - 2);
      return PushEscaped(bytes);
    case 'B':
      return Counted(4, &bytes) && PushOther();
    case 'C':
      return Counted(1, &bytes) && PushOther();
    case '\x8e':
    case '\x96':
      return Counted(8, &bytes) && PushOther();
    default:
      *known = false;
      return true;
  }
}

bool Machine::Number(char opcode, bool* known) {
  std::string_view bytes;
  std::uint64_t bits = 0;
  switch (opcode) {
    case 'N':
      return Push({Kind::kNone, "None"});
    case '\x88':
      return Push({Kind::kBool, "True"});
    case '\x89':
      return Push({Kind::kBool, "False"});
    case 'I':
    case 'F':
    case 'L':
      return Line(&bytes) && PushNumber(std::string(bytes.substr(0, bytes.find('L'))));
    case 'K':
      return Little(1, &bits) && PushNumber(fmt::format("{}", bits));
    case 'M':
      return Little(2, &bits) && PushNumber(fmt::format("{}", bits));
    case 'J':
      return Little(4, &bits) && PushNumber(fmt::format("{}", static_cast<std::int32_t>(bits)));
    case '\x8a': {
      if (!Counted(1, &bytes)) return false;
      if (bytes.size() > 8) return PushNumber("");
      for (std::size_t i = bytes.size(); i-- > 0;)
        bits = (bits << 8) | static_cast<unsigned char>(bytes[i]);
      const bool negative = !bytes.empty() && bytes.size() < 8 && (bytes.back() & '\x80') != 0;
      if (negative) bits |= ~std::uint64_t{0} << (8 * bytes.size());
      return PushNumber(fmt::format("{}", static_cast<std::int64_t>(bits)));
    }
    case '\x8b':
      return Counted(4, &bytes) && PushNumber("");
    case 'G':
      if (!Bytes(8, &bytes)) return false;
      for (const char c : bytes) bits = (bits << 8) | static_cast<unsigned char>(c);
      return PushNumber(fmt::format("{}", std::bit_cast<double>(bits)));
    default:
      *known = false;
      return true;
  }
}

bool Machine::Container(char opcode, bool* known) {
  std::vector<std::uint32_t> items;
  std::uint32_t value = 0, key = 0;
  switch (opcode) {
    case '(':
      return Push({Kind::kMark});
    case ')':
      return PushTuple(0);
    case '\x85':
    case '\x86':
    case '\x87':
      return PushTuple(static_cast<std::size_t>(opcode - '\x84'));
    case 't':
      return PopMark(&items) && Push({Kind::kTuple, "", std::move(items)});
    case '}':
      return Push({Kind::kDict});
    case ']':
    case '\x8f':
      return PushOther();
    case 'l':
    case '\x91':
      return PopMark(&items) && PushOther();
    case 'd':
      return PopMark(&items) && Push({Kind::kDict}) && SetMembers(items);
    case 'a':
      return Pop(&value) && Top(&key);
    case 'e':
    case '\x90':
      return PopMark(&items) && Top(&key);
    case 's':
      return Pop(&value) && Pop(&key) && SetMembers({key, value});
    case 'u':
      return PopMark(&items) && SetMembers(items);
    case '0':
      return Pop(&value);
    case '1':
      return PopMark(&items);
    case '2':
      return Top(&value) && (stack_.push_back(value), true);
    default:
      *known = false;
      return true;
  }
}

bool Machine::Memory(char opcode, bool* known) {
  std::string_view line;
  std::uint64_t place = 0;
  std::uint32_t top = 0;
  switch (opcode) {
    case 'p':
    case 'g':
      if (!Line(&line)) return false;
      place = static_cast<std::uint64_t>(ParseInt(line).value_or(-1));
      break;
    case 'q':
    case 'h':
      if (!Little(1, &place)) return false;
      break;
    case 'r':
    case 'j':
      if (!Little(4, &place)) return false;
      break;
    case '\x94':
      place = memo_.size();
      break;
    default:
      *known = false;
      return true;
  }
  if (opcode == 'g' || opcode == 'h' || opcode == 'j') {
    const auto found = memo_.find(place);
    if (found == memo_.end()) return Fail("it recalls what it never kept");
    stack_.push_back(found->second);
    return stack_.size() < kValuesMax || Fail("it has too many values");
  }
  if (!Top(&top)) return false;
  memo_[place] = top;
  return true;
}

bool Machine::Object(char opcode, bool* known) {
  std::string_view module, name;
  std::vector<std::uint32_t> items;
  std::uint32_t keywords = 0;
  std::uint64_t number = 0;
  switch (opcode) {
    case 'c':
      return Line(&module) && Line(&name) && Name(module, name);
    case '\x93':
      return NameOnStack();
    case 'R':
    case '\x81':
      return MakeFromStack();
    case '\x92':
      return Pop(&keywords) && MakeFromStack();
    case 'i':
      if (!Line(&module) || !Line(&name) || !PopMark(&items)) return false;
      return Push({Kind::kMade, NoteName(module, name)});
    case 'o':
      if (!PopMark(&items)) return false;
      return Push({Kind::kMade, items.empty() ? "" : values_[items[0]].text});
    case 'b':
      return Build();
    case 'P':
    case 'Q':
      Note(std::string(kOutsideObject));
      return (opcode == 'P' ? Line(&name) : Pop(&keywords)) && PushOther();
    case '\x82':
    case '\x83':
    case '\x84':
      Note("an object of a registry (extension code)");
      return Little(opcode == '\x82' ? 1 : opcode == '\x83' ? 2 : 4, &number) && PushOther();
    case '\x97':
      Note(std::string(kBuffer));
      return PushOther();
    case '\x98':
      return true;
    default:
      *known = false;
      return true;
  }
}

bool Machine::Step(char opcode) {
  std::uint64_t skipped = 0;
  if (opcode == '\x80') return Little(1, &skipped);
  if (opcode == '\x95') {  // a frame: its bytes are opcodes too
    if (!Little(8, &skipped)) return false;
    frame_end_ = skipped > rest_.size() ? std::string_view::npos : read_ + skipped;
    return true;
  }
  for (const auto group : {&Machine::Text, &Machine::Number, &Machine::Container, &Machine::Memory,
                           &Machine::Object}) {
    bool known = true;
    if (!(this->*group)(opcode, &known)) return false;
    if (known) return true;
  }
  return Fail(fmt::format("the opcode {:#04x} is not known", static_cast<unsigned char>(opcode)));
}

bool Machine::Pickle() {
  std::string_view opcode;
  for (;;) {
    if (!Bytes(1, &opcode)) return false;
    if (opcode[0] == '.') break;
    if (!Step(opcode[0])) return false;
  }
  return !stack_.empty() || Fail("it makes nothing");
}

PickleFacts Machine::Facts() const {
  PickleFacts facts;
  facts.names = names_;
  facts.bytes_read = read_;
  facts.unknown.assign(unknown_.begin(), unknown_.end());
  const Value& whole = values_[stack_.back()];
  if (whole.kind == Kind::kMade) facts.class_name = whole.text;
  for (const Value& value : values_) {
    const auto version = value.members.find("_sklearn_version");
    if (version != value.members.end()) facts.sklearn_version = values_[version->second].text;
  }
  for (const auto& [key, index] : whole.members) {
    const Value& value = values_[index];
    const bool plain = value.kind == Kind::kNone || value.kind == Kind::kBool ||
                       value.kind == Kind::kNumber || value.kind == Kind::kText;
    if (key == "n_features_in_") facts.features = ParseInt(value.text).value_or(0);
    // What ends in an underscore was learned, what begins with one is the library's own.
    const bool learned = key.empty() || key.starts_with('_') || key.ends_with('_');
    if (plain && !learned && value.text.size() <= 1000 && IsValidUtf8(value.text))
      facts.params[key] = value.text;
  }
  return facts;
}

}  // namespace

Result<PickleFacts> InspectPickle(std::string_view bytes) { return Machine(bytes).Run(); }

PickleProbe ProbePickle(std::string_view bytes) { return Machine(bytes).Probe(); }

}  // namespace gyre::training
