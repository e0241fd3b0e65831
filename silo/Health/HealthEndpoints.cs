using KawaOrleans.Server;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KawaOrleans.Silo.Health;

/// <summary>Liveness: the process answers. Readiness: the silo is active and its data directory is open. A node with files it
/// cannot trust is degraded but ready (200): it serves all the others, and the answer names them.</summary>
internal static class HealthEndpoints
{
    public static IServiceCollection AddNodeHealth(this IServiceCollection services)
    {
        services.AddHealthChecks().AddCheck<SiloHealthCheck>("silo").AddCheck<KawaHealthCheck>("store");
        return services;
    }

    public static void MapNodeHealth(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = static _ => false });
        endpoints.MapHealthChecks("/health/ready", new HealthCheckOptions { ResponseWriter = WriteAsync });
    }

    private static Task WriteAsync(HttpContext context, HealthReport report) =>
        context.Response.WriteAsJsonAsync(new
        {
            status = report.Status.ToString(),
            checks = report.Entries.ToDictionary(
                static entry => entry.Key,
                static entry => new
                {
                    status = entry.Value.Status.ToString(),
                    description = entry.Value.Description,
                    problems = entry.Value.Data.ToDictionary(static problem => problem.Key, static problem => problem.Value.ToString()),
                }),
        });
}
