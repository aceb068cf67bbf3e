#include "api/files/stored_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "platform/net/client.h"
#include "platform/net/server.h"
#include "platform/net/testing/house.h"

namespace gyre::files {
namespace {

// Answers the blob whose digest is the name.
class Shelf {
 public:
  explicit Shelf(blob::Store& blobs) : blobs_(blobs) {}
  net::RouteTable table();
  Result<net::Response> Get(net::Request& request) {
    const blob::Object object{request.Param("digest"), size_bytes};
    GYRE_TRY(net::Response response,
             AnswerStored(request, blobs_, {.object = object, .content_type = "text/plain"}));
    SayItIsForeign("a \"b\" ö.txt", &response);
    return response;
  }
  std::int64_t size_bytes = 0;

 private:
  blob::Store& blobs_;
};
constexpr net::Route kShelf[] = {{.method = net::Method::kGet,
                                  .path = "/{digest}",
                                  .handler = net::Bind<&Shelf::Get>,
                                  .permission = net::kPublic,
                                  .summary = "A blob"}};
net::RouteTable Shelf::table() { return {"test", kShelf, this}; }

class StoredFileTest : public testing::Test {
 protected:
  void SetUp() override {
    auto blobs = blob::OpenLocalStore(folder_);
    ASSERT_TRUE(blobs) << blobs.error().ToString();
    blobs_ = *std::move(blobs);
    shelf_ = std::make_unique<Shelf>(*blobs_);
    const net::RouteTable tables[] = {shelf_->table()};
    auto server = net::StartServer({.listen = "127.0.0.1:0"}, tables, gate_, nullptr);
    ASSERT_TRUE(server) << server.error().ToString();
    server_ = *std::move(server);
    client_ = std::make_unique<net::Client>(net::ClientSettings{.url = server_->url()});
  }
  ~StoredFileTest() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }
  void Put(std::string_view bytes) {
    const auto object = blobs_->Put(bytes);
    ASSERT_TRUE(object);
    object_ = *object;
    shelf_->size_bytes = object->size_bytes;
  }
  net::ClientResponse Get(std::vector<std::pair<std::string, std::string>> headers = {}) {
    auto response = client_->Send(
        {.method = "GET", .path = "/" + object_.digest, .headers = std::move(headers), .body = ""});
    EXPECT_TRUE(response) << response.error().ToString();
    return response ? *response : net::ClientResponse{};
  }

  const std::string folder_ = testing::TempDir() + "gyre_files_" + std::to_string(getpid());
  std::unique_ptr<blob::Store> blobs_;
  std::unique_ptr<Shelf> shelf_;
  net::OpenGate gate_;
  std::unique_ptr<net::Server> server_;
  std::unique_ptr<net::Client> client_;
  blob::Object object_;
};

TEST_F(StoredFileTest, WholeAndInParts) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, std::size_t{3} << 20}) {
    std::string bytes;
    while (bytes.size() < size) bytes += std::to_string(bytes.size()) + ",";
    bytes.resize(size);
    Put(bytes);
    EXPECT_EQ(Get().body, bytes) << size;
    EXPECT_EQ(Get().status, 200);
    if (size == 0) continue;
    const net::ClientResponse part = Get({{"Range", "bytes=2-" + std::to_string(size - 2)}});
    EXPECT_EQ(part.status, 206);
    EXPECT_EQ(part.body, bytes.substr(2, size - 3));
    EXPECT_EQ(Get({{"Range", "bytes=-3"}}).body, bytes.substr(size - 3));
    EXPECT_EQ(Get({{"Range", "bytes=" + std::to_string(size) + "-"}}).status, 416);
  }
}

TEST_F(StoredFileTest, NobodyIsSentWhatHeHas) {
  Put("0123456789");
  const std::string tag = "\"" + object_.digest + "\"";
  EXPECT_EQ(Get({{"If-None-Match", tag}}).status, 304);
  EXPECT_EQ(Get({{"If-None-Match", "\"other\""}}).status, 200);
  EXPECT_EQ(Get({{"Range", "bytes=1-2"}, {"If-Range", tag}}).status, 206);
  EXPECT_EQ(Get({{"Range", "bytes=1-2"}, {"If-Range", "\"other\""}}).status, 200);
}

TEST_F(StoredFileTest, ABrowserSavesItUnderItsName) {
  net::Response response;
  SayItIsForeign("a \"b\" ö.txt", &response);
  EXPECT_EQ(response.headers[0].second,
            "attachment; filename=\"a _b_ __.txt\"; filename*=UTF-8''a%20%22b%22%20%C3%B6.txt");
  net::Response plain;
  SayItIsForeign("model.pkl", &plain);
  EXPECT_EQ(plain.headers[0].second, "attachment; filename=\"model.pkl\"");
  EXPECT_EQ(plain.headers[2].second, "sandbox");
}

}  // namespace
}  // namespace gyre::files
