using KawaOrleans.Server.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KawaOrleans.Server;

/// <summary>Whether this node's part of the store is well. Register it with
/// <c>services.AddHealthChecks().AddCheck&lt;KawaHealthCheck&gt;("kawa")</c>.</summary>
/// <remarks>Unhealthy: the data directory is not open. Degraded: some segment files cannot be trusted, or failed since the start;
/// the data names them.</remarks>
public sealed class KawaHealthCheck(IServiceProvider services) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(Check(services.GetRequiredService<NodeHost>()));

    private static HealthCheckResult Check(NodeHost host)
    {
        if (!host.IsOpen)
        {
            return HealthCheckResult.Unhealthy($"The data directory of node '{host.Name}' is not open.");
        }

        var problems = new Dictionary<string, object>();
        foreach (var file in host.Store.Untrusted)
        {
            problems[file.Path] = file.Problem;
        }

        foreach (var (segment, fault) in host.Faults)
        {
            problems[segment.ToString("N")] = fault;
        }

        return problems.Count == 0
            ? HealthCheckResult.Healthy($"Node '{host.Name}' serves its segments.")
            : HealthCheckResult.Degraded($"Node '{host.Name}': {problems.Count} segment files cannot be trusted or failed.", data: problems);
    }
}
