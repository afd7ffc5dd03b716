import Commands
import Glibc

exit(GatekitCommand.run(arguments: Array(CommandLine.arguments.dropFirst())))
