class ClerkJob < ApplicationJob
  dynamodb_event 'test-table'
  def file
    puts "event #{JSON.dump(event)}"
  end
end
