require 'json'

# The little of a job framework that this example needs: each public method of a job is a function of its own, and finds
# what it was handed in `event` and `context`.
class ApplicationJob
  attr_reader :event, :context

  # The table whose stream drives the method that follows; its name is prefixed with the project's.
  def self.dynamodb_event(table)
    @table = table
  end

  def self.method_added(name)
    super
    return unless @table && self != ApplicationJob

    sources[name] = @table
    @table = nil
  end

  # Method => table.
  def self.sources
    @sources ||= {}
  end

  def self.process(event, context, name)
    new(event, context).public_send(name)
  end

  def initialize(event, context)
    @event = event
    @context = context
  end
end
