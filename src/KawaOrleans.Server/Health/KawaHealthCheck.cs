using KawaOrleans.Server.Healing;
using KawaOrleans.Server.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KawaOrleans.Server;

/// <summary>Whether this node's part of the store is well. Register it with
/// <c>services.AddHealthChecks().AddCheck&lt;KawaHealthCheck&gt;("kawa")</c>.</summary>
/// <remarks>Unhealthy: the data directory is not open, or was refused. Degraded: the node has not joined the cluster, or segment files cannot be
/// trusted or failed since the start; the data names each.</remarks>
public sealed class KawaHealthCheck(IServiceProvider services) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(Check(services.GetRequiredService<NodeHost>(), services.GetRequiredService<ClusterJoin>(), services.GetRequiredService<Healer>().Found));

    private static HealthCheckResult Check(NodeHost host, ClusterJoin join, HealingReport healing)
    {
        if (!host.IsOpen)
        {
            return HealthCheckResult.Unhealthy($"The data directory of node '{host.Name}' is not open.");
        }

        if (host.Refusal is { } refusal)
        {
            return HealthCheckResult.Unhealthy(refusal.Message, refusal);
        }

        var problems = new Dictionary<string, object>();
        if (join.WhyNotJoined is { } reason)
        {
            problems["cluster"] = reason;
        }

        foreach (var file in host.Store.Untrusted)
        {
            problems[file.Path] = file.Problem;
        }

        foreach (var (segment, fault) in host.Faults)
        {
            problems[segment.ToString("N")] = fault;
        }

        if (healing.Sentences.Count > 0)
        {
            problems["replicas"] = string.Join("; ", healing.Sentences);
        }

        return problems.Count == 0
            ? HealthCheckResult.Healthy($"Node '{host.Name}' serves its segments.")
            : HealthCheckResult.Degraded($"Node '{host.Name}': {string.Join("; ", problems.Select(problem => $"{problem.Key}: {problem.Value}"))}", data: problems);
    }
}
