# frozen_string_literal: true

# Runs a Ruby handler: asks the Runtime API for invocations and answers them, over one kept connection.

require 'json'
require 'logger'
require 'socket'

module MillstreamRuntime
  API = '/2018-06-01/runtime/'
  ROOT = ENV.fetch('LAMBDA_TASK_ROOT')
  FORM = 'must be of form FILENAME.METHOD or FILENAME.CLASS.METHOD where FILENAME corresponds with an existing Ruby ' \
         'source file FILENAME.rb, CLASS is an optional module/class namespace and METHOD is a callable method. ' \
         'If using CLASS, METHOD must be a class-level method.'

  class << self
    attr_accessor :request_id
  end

  # One HTTP connection that writes each request at once.
  class Connection
    def initialize
      host, port = ENV.fetch('AWS_LAMBDA_RUNTIME_API').split(':')
      @socket = TCPSocket.new(host, Integer(port))
      @socket.setsockopt(Socket::IPPROTO_TCP, Socket::TCP_NODELAY, 1)
    end

    def call(method, path, body = '', headers = '')
      body = body.b
      head = "#{method} #{API}#{path} HTTP/1.1\r\nHost: runtime\r\nContent-Length: #{body.bytesize}\r\n#{headers}\r\n"
      @socket.write(head.b + body)
      line = @socket.gets("\r\n") || exit!(1)
      status = line.split(' ', 3)[1].to_i
      received = {}
      until (line = @socket.gets("\r\n") || exit!(1)) == "\r\n"
        name, value = line.split(':', 2)
        received[name.downcase] = value.strip
      end
      [status, received, @socket.read(received.fetch('content-length', 0).to_i).to_s.force_encoding('UTF-8')]
    end
  end

  # What a handler is told of its invocation.
  class Context
    attr_reader :aws_request_id, :invoked_function_arn, :deadline_ms, :identity, :client_context, :clock_diff,
                :log_group_name, :log_stream_name, :function_name, :memory_limit_in_mb, :function_version, :tenant_id

    def initialize(headers)
      @clock_diff = Process.clock_gettime(Process::CLOCK_REALTIME, :millisecond) -
                    Process.clock_gettime(Process::CLOCK_MONOTONIC, :millisecond)
      @deadline_ms = headers['lambda-runtime-deadline-ms'].to_i
      @aws_request_id = headers['lambda-runtime-aws-request-id']
      @invoked_function_arn = headers['lambda-runtime-invoked-function-arn']
      @log_group_name = ENV['AWS_LAMBDA_LOG_GROUP_NAME']
      @log_stream_name = ENV['AWS_LAMBDA_LOG_STREAM_NAME']
      @function_name = ENV['AWS_LAMBDA_FUNCTION_NAME']
      @memory_limit_in_mb = ENV['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']
      @function_version = ENV['AWS_LAMBDA_FUNCTION_VERSION']
      @identity = JSON.parse(headers['lambda-runtime-cognito-identity'] || 'null')
      @client_context = JSON.parse(headers['lambda-runtime-client-context'] || 'null')
    end

    def get_remaining_time_in_millis
      now = Process.clock_gettime(Process::CLOCK_MONOTONIC, :millisecond) + clock_diff
      [deadline_ms - now, 0].max
    end
  end

  # A logger's line carries the request; line ends inside it become carriage returns, so that it stays one event.
  class LineFormatter < Logger::Formatter
    def call(severity, time, _program, message)
      line = format("%s, [%s #%d] %5s -- %s: %s", severity[0], format_datetime(time), Process.pid, severity,
                    MillstreamRuntime.request_id, msg2str(message))
      "#{line.chomp.gsub(/\r?\n/, "\r")}\n"
    end
  end

  # Loggers without a formatter of their own use ours.
  module DefaultFormatter
    def initialize(*, **)
      super
      @default_formatter = LineFormatter.new
    end
  end
  Logger.prepend(DefaultFormatter)

  # The handler as it is named: `file.method` or `file.Class.method`.
  class Handler
    def initialize(text)
      parts = text.split('.')
      unless [2, 3].include?(parts.length)
        raise ArgumentError, "Invalid handler #{text}, #{FORM}"
      end

      @file, *@namespace, @method = parts
    end

    def load
      require File.join(ROOT, @file)
    end

    def call(event, context)
      target = @namespace.empty? ? Kernel : Object.const_get(@namespace.first)
      target.send(@method, event: event, context: context)
    end
  end

  # An error as its caller reads it: the trace is the function's own.
  def self.document(error, kind)
    trace = (error.backtrace || []).reject { |line| line.start_with?(__FILE__) || line.include?('<internal:') }
    message = begin
      error.message
    rescue StandardError => unspeakable
      "#{error.class} has no text: #{unspeakable.class}"
    end
    { 'errorMessage' => message.dup.force_encoding('UTF-8').scrub, 'errorType' => "#{kind}<#{error.class}>",
      'stackTrace' => trace }
  end

  def self.log_error(what, told)
    $stdout.write("#{what}\r#{JSON.pretty_generate(told).gsub("\n", "\r")}\n")
  end

  def self.post_error(connection, path, told)
    kind = told['errorType'].gsub(/[^\x21-\x7e]/, '?')
    headers = "Content-Type: application/json\r\nLambda-Runtime-Function-Error-Type: #{kind}\r\n"
    connection.call('POST', path, JSON.generate(told), headers)
  end

  def self.answer(handler, headers, body)
    ENV['_X_AMZN_TRACE_ID'] = headers['lambda-runtime-trace-id']
    event = begin
      JSON.parse(body)
    rescue JSON::ParserError => error
      return [nil, document(error, 'Runtime')]
    end
    answer = handler.call(event, Context.new(headers))
    [answer.respond_to?(:read) ? answer.read : JSON.generate(answer), nil]
  rescue SystemExit, SignalException
    raise
  rescue Exception => error # rubocop:disable Lint/RescueException
    [nil, document(error, 'Function')]
  end

  def self.run
    $stdout.sync = true
    $stderr.sync = true
    # The function's own gems come before those of this machine, which a GEM_PATH would hide.
    gems = ENV.fetch('GEM_PATH', '').split(':').select { |path| Dir.exist?(path) }
    Gem.use_paths(nil, gems + Gem.default_path)
    connection = Connection.new
    begin
      handler = Handler.new(ENV.fetch('_HANDLER'))
      handler.load
    rescue SystemExit, SignalException
      raise
    rescue Exception => error # rubocop:disable Lint/RescueException
      told = document(error, 'Init')
      log_error('Init error when loading handler ' + ENV.fetch('_HANDLER'), told)
      post_error(connection, 'init/error', told)
      exit!(1)
    end
    loop { serve(connection, handler) }
  end

  def self.serve(connection, handler)
    _, headers, body = connection.call('GET', 'invocation/next')
    self.request_id = headers['lambda-runtime-aws-request-id']
    answer, told = answer(handler, headers, body)
    if told
      log_error('Error raised from handler method', told)
      post_error(connection, "invocation/#{request_id}/error", told)
    else
      status, = connection.call('POST', "invocation/#{request_id}/response", answer)
      log_error('Response too large', { 'errorType' => 'RequestEntityTooLarge' }) if status == 413
    end
  end
end

MillstreamRuntime.run
