# Notes every record with the core of the AWS SDK for Ruby. Debian packages no more than the core: what a service's own
# package would add, its operation and where it is, stands here.
require "aws-sdk-core"
require "aws-sdk-core/plugins/protocols/json_rpc"

# One operation, in the words of the core.
module Notes
  include Seahorse::Model

  def self.ref(shape, name = nil)
    Shapes::ShapeRef.new(shape: shape, location_name: name)
  end

  TEXT = Shapes::StringShape.new(name: "String")
  VALUE = Shapes::StructureShape.new(name: "AttributeValue")
  VALUE.add_member(:s, ref(TEXT, "S"))
  VALUE.struct_class = Struct.new(:s) { include Aws::Structure }
  ITEM = Shapes::MapShape.new(name: "Item")
  ITEM.key = ref(TEXT)
  ITEM.value = ref(VALUE)
  INPUT = Shapes::StructureShape.new(name: "PutItemInput")
  INPUT.add_member(:table_name, ref(TEXT, "TableName"))
  INPUT.add_member(:item, ref(ITEM, "Item"))
  INPUT.struct_class = Struct.new(:table_name, :item) { include Aws::Structure }
  OUTPUT = Shapes::StructureShape.new(name: "PutItemOutput")
  OUTPUT.struct_class = Aws::EmptyStructure

  API = Api.new.tap do |api|
    api.version = "2012-08-10"
    api.metadata = { "endpointPrefix" => "dynamodb", "jsonVersion" => "1.0", "protocol" => "json", "serviceId" => "DynamoDB",
                     "signatureVersion" => "v4", "targetPrefix" => "DynamoDB_20120810" }
    api.add_operation(:put_item, Operation.new.tap do |operation|
      operation.name = "PutItem"
      operation.http_method = "POST"
      operation.http_request_uri = "/"
      operation.input = ref(INPUT)
      operation.output = ref(OUTPUT)
    end)
  end

  # Where the service is, and as what requests are signed for it.
  class Place < Seahorse::Client::Plugin
    class Handler < Seahorse::Client::Handler
      def call(context)
        context.http_request.endpoint = ENV.fetch("AWS_ENDPOINT_URL")
        context[:auth_scheme] =
          { "name" => "sigv4", "signingName" => "dynamodb", "signingRegion" => context.config.region }
        @handler.call(context)
      end
    end

    def add_handlers(handlers, _config)
      handlers.add(Handler, step: :build, priority: 75)
    end
  end

  module Errors
    extend Aws::Errors::DynamicErrors
  end

  class Client < Seahorse::Client::Base
    include Aws::ClientStubs
    @identifier = :dynamodb
    set_api(API)
    plugins = Aws::Plugins
    [Seahorse::Client::Plugins::ContentLength, plugins::CredentialsConfiguration, plugins::ParamConverter,
     plugins::ParamValidator, plugins::UserAgent, plugins::RetryErrors, plugins::RegionalEndpoint, plugins::StubResponses,
     plugins::DefaultsMode, plugins::Sign, plugins::Protocols::JsonRpc, Place].each { |plugin| add_plugin(plugin) }

    def self.errors_module = Errors
  end
end

CLIENT = Notes::Client.new

def handler(event:, context:)
  event["Records"].each do |record|
    id = record["dynamodb"]["NewImage"]["id"]["S"]
    CLIENT.build_request(:put_item, { table_name: ENV.fetch("SEEN"), item: { "id" => { s: "ruby/#{id}" } } }).send_request
  end
  nil
end
