require_relative '../../app/jobs/application_job'
require_relative '../../app/jobs/clerk_job'

def file(event:, context:)
  ClerkJob.process(event, context, :file)
end
