using System.Net;
using KawaOrleans.Silo;
using KawaOrleans.Silo.Configuration;
using KawaOrleans.Silo.Health;
using KawaOrleans.Silo.Memory;

if (CommandLine.AsksForHelp(args))
{
    Console.WriteLine(CommandLine.Help);
    return ExitCode.Ok;
}

if (CommandLine.WhyNot(args) is { } badArguments)
{
    await Console.Error.WriteLineAsync($"{badArguments}; --help lists the options");
    return ExitCode.BadOptions;
}

// Settings lie beside the program; data directories are relative to where it was started.
var builder = WebApplication.CreateBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
builder.Configuration.AddCommandLine(args, CommandLine.Mappings);

KawaNodeOptions node;
try
{
    node = builder.Configuration.GetSection(KawaNodeOptions.Section).Get<KawaNodeOptions>() ?? new KawaNodeOptions();
}
catch (InvalidOperationException unreadable)
{
    await Console.Error.WriteLineAsync($"{unreadable.Message} {unreadable.InnerException?.Message}");
    return ExitCode.BadOptions;
}

if (new KawaNodeOptionsValidator().Validate(null, node) is { Failed: true } refused)
{
    await Console.Error.WriteLineAsync(string.Join(Environment.NewLine, refused.Failures));
    return ExitCode.BadOptions;
}

// Liveness answers while a long recovery delays the silo, so the endpoints do not wait for it.
builder.Services.Configure<HostOptions>(static host => host.ServicesStartConcurrently = true);
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Parse(node.AdvertisedAddress), node.HttpPort));
builder.Services.AddNodeHealth();
builder.Services.AddHostedService<IdleMemory>();
builder.UseOrleans(silo => silo.UseKawaNode(node));

var app = builder.Build();
app.MapNodeHealth();
try
{
    await app.RunAsync();
    return ExitCode.Ok;
}
catch (Exception failure) when (StartFailure.Explain(failure) is { } reason)
{
    await Console.Error.WriteLineAsync(reason);
    return ExitCode.Failed;
}
